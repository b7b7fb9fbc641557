#include "libhdf5.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// libhdf5's C interface, declared by hand (1.10 and later, where hid_t has 64 bits): no header is needed to build.
typedef int64_t hid;
typedef unsigned long long hsize;

typedef struct {
	int storage_type;
	hsize nlinks;
	int64_t max_corder;
	_Bool mounted;
} group_info;

typedef struct {
	hid cls, maj, min;
	unsigned line;
	const char *func, *file, *desc;
} error_entry;

#define FUNCTIONS(F) \
	F(int, H5open, (void)) \
	F(int, H5get_libversion, (unsigned *, unsigned *, unsigned *)) \
	F(int, H5Eset_auto2, (hid, void *, void *)) \
	F(int, H5Eclear2, (hid)) \
	F(int, H5Ewalk2, (hid, int, int (*)(unsigned, const error_entry *, void *), void *)) \
	F(hid, H5Fcreate, (const char *, unsigned, hid, hid)) \
	F(hid, H5Fopen, (const char *, unsigned, hid)) \
	F(int, H5Fclose, (hid)) \
	F(hid, H5Gcreate2, (hid, const char *, hid, hid, hid)) \
	F(hid, H5Gopen2, (hid, const char *, hid)) \
	F(int, H5Gclose, (hid)) \
	F(int, H5Gget_info, (hid, group_info *)) \
	F(int, H5Lexists, (hid, const char *, hid)) \
	F(long, H5Lget_name_by_idx, (hid, const char *, int, int, hsize, char *, size_t, hid)) \
	F(hid, H5Oopen, (hid, const char *, hid)) \
	F(int, H5Oclose, (hid)) \
	F(hid, H5Dcreate2, (hid, const char *, hid, hid, hid, hid, hid)) \
	F(hid, H5Dopen2, (hid, const char *, hid)) \
	F(int, H5Dclose, (hid)) \
	F(int, H5Dread, (hid, hid, hid, hid, hid, void *)) \
	F(int, H5Dwrite, (hid, hid, hid, hid, hid, const void *)) \
	F(hid, H5Dget_space, (hid)) \
	F(hid, H5Dget_type, (hid)) \
	F(hid, H5Dget_create_plist, (hid)) \
	F(int, H5Pget_layout, (hid)) \
	F(int, H5Pclose, (hid)) \
	F(hsize, H5Dget_storage_size, (hid)) \
	F(hid, H5Screate, (int)) \
	F(hid, H5Screate_simple, (int, const hsize *, const hsize *)) \
	F(int, H5Sclose, (hid)) \
	F(int, H5Sget_simple_extent_ndims, (hid)) \
	F(int, H5Sget_simple_extent_dims, (hid, hsize *, hsize *)) \
	F(hid, H5Tcopy, (hid)) \
	F(int, H5Tclose, (hid)) \
	F(int, H5Tset_size, (hid, size_t)) \
	F(int, H5Tget_class, (hid)) \
	F(size_t, H5Tget_size, (hid)) \
	F(size_t, H5Tget_precision, (hid)) \
	F(int, H5Tget_offset, (hid)) \
	F(int, H5Tget_order, (hid)) \
	F(int, H5Tget_fields, (hid, size_t *, size_t *, size_t *, size_t *, size_t *)) \
	F(int, H5Tis_variable_str, (hid))

#define DECLARE(ret, name, args) static ret(*name) args;
FUNCTIONS(DECLARE)

static hid *native_float, *native_int, *c_string, *resource_error, *cannot_alloc;
char gh_message[gh_error_size];
static int no_memory;

int gh_load(const char *name) {
	void *lib = dlopen(name, RTLD_NOW | RTLD_LOCAL);
	if (!lib) return -1;
#define LOAD(ret, name, args) \
	*(void **)&name = dlsym(lib, #name); \
	if (!name) return -2;
	FUNCTIONS(LOAD)
	// Locks fail on read-only and network file systems, and a snapshot has one writer.
	setenv("HDF5_USE_FILE_LOCKING", "FALSE", 0);
	unsigned v[3];
	if (H5open() < 0 || H5get_libversion(&v[0], &v[1], &v[2]) < 0 || (v[0] == 1 && v[1] < 10)) return -2;
	native_float = dlsym(lib, "H5T_NATIVE_FLOAT_g");
	native_int = dlsym(lib, "H5T_NATIVE_INT_g");
	c_string = dlsym(lib, "H5T_C_S1_g");
	resource_error = dlsym(lib, "H5E_RESOURCE_g");
	cannot_alloc = dlsym(lib, "H5E_CANTALLOC_g");
	if (!native_float || !native_int || !c_string || !resource_error || !cannot_alloc) return -2;
	return 0;
}

// hush stops the library from printing its failures to stderr: in a thread-safe build each thread has a setting of its own.
static void hush(void) {
	static __thread int hushed;
	if (!hushed) H5Eset_auto2(0, NULL, NULL);
	hushed = 1;
}

void gh_version(unsigned v[3]) { H5get_libversion(&v[0], &v[1], &v[2]); }

int gh_no_memory(void) { return no_memory; }

// The entries come from the innermost function outward. The innermost one says what went wrong.
static int note(unsigned n, const error_entry *e, void *unused) {
	(void)unused;
	if (n == 0) snprintf(gh_message, sizeof gh_message, "%s", e->desc ? e->desc : "unknown error");
	if (e->maj == *resource_error || e->min == *cannot_alloc) no_memory = 1;
	return 0;
}

// failed keeps the reason that the library gives for the last failure.
static int failed(void) {
	const int upward = 0;
	strcpy(gh_message, "unknown error");
	no_memory = 0;
	H5Ewalk2(0, upward, note, NULL);
	H5Eclear2(0);
	return -1;
}

int64_t gh_create(const char *path) {
	hush();
	const unsigned truncate = 2;
	hid f = H5Fcreate(path, truncate, 0, 0);
	return f < 0 ? failed() : f;
}

int64_t gh_open(const char *path) {
	hush();
	const unsigned read_only = 0;
	hid f = H5Fopen(path, read_only, 0);
	return f < 0 ? failed() : f;
}

int gh_close(int64_t file) {
	hush();
	return H5Fclose(file) < 0 ? failed() : 0;
}

int gh_exists(int64_t file, const char *path) {
	hush();
	int found = H5Lexists(file, path, 0);
	return found < 0 ? failed() : found > 0;
}

int gh_make_group(int64_t file, const char *path) {
	hush();
	hid g = H5Gcreate2(file, path, 0, 0, 0);
	if (g < 0) return failed();
	H5Gclose(g);
	return 0;
}

int64_t gh_count(int64_t file, const char *group) {
	hush();
	hid g = H5Gopen2(file, group, 0);
	if (g < 0) {
		failed();
		return gh_no_group;
	}
	group_info info;
	int rc = H5Gget_info(g, &info);
	H5Gclose(g);
	return rc < 0 ? failed() : (int64_t)info.nlinks;
}

int gh_is_object(int64_t file, const char *path) {
	hush();
	hid o = H5Oopen(file, path, 0);
	if (o < 0) {
		failed();
		return 0;
	}
	H5Oclose(o);
	return 1;
}

int64_t gh_name(int64_t file, const char *group, unsigned long long i, char *name, unsigned long n) {
	hush();
	const int by_name = 0, increasing = 0;
	long len = H5Lget_name_by_idx(file, group, by_name, increasing, i, name, n, 0);
	return len < 0 ? failed() : len;
}

static int write_dataset(int64_t file, const char *path, hid type, hid space, const void *data) {
	hid set = H5Dcreate2(file, path, type, space, 0, 0, 0);
	if (set < 0) return failed();
	int rc = H5Dwrite(set, type, 0, 0, 0, data);
	if (rc < 0) failed();
	if (H5Dclose(set) < 0 && rc >= 0) rc = failed();
	return rc < 0 ? -1 : 0;
}

int gh_write(int64_t file, const char *path, int type, int rank, const unsigned long long *dims, const void *data) {
	hush();
	hid space = H5Screate_simple(rank, dims, NULL);
	if (space < 0) return failed();
	int rc = write_dataset(file, path, type == gh_int ? *native_int : *native_float, space, data);
	H5Sclose(space);
	return rc;
}

int gh_write_string(int64_t file, const char *path, const char *s, unsigned long n) {
	hush();
	const int scalar = 0;
	hid space = H5Screate(scalar), type = H5Tcopy(*c_string);
	int rc = space < 0 || type < 0 || H5Tset_size(type, n) < 0 ? failed() : write_dataset(file, path, type, space, s);
	if (type >= 0) H5Tclose(type);
	if (space >= 0) H5Sclose(space);
	return rc;
}

// plain_number says whether a type is an integer or an IEEE float of 16, 32 or 64 bits as it lies in memory, which is what programs write.
// A type's bits may be laid out in any way, and where a damaged file says so, libhdf5's conversion writes outside of its memory.
static int plain_number(hid type) {
	const int big_endian = 1;
	size_t size = H5Tget_size(type), sign, exp, exp_bits, mantissa, bits;
	int class = H5Tget_class(type), order = H5Tget_order(type);
	if ((class != gh_class_integer && class != gh_class_float) || size == 0 || size > 8 || (size & (size - 1)) || order < 0 || order > big_endian ||
	    H5Tget_precision(type) != 8 * size || H5Tget_offset(type) != 0)
		return 0;
	if (class == gh_class_integer) return 1;
	if (size < 2 || H5Tget_fields(type, &sign, &exp, &exp_bits, &mantissa, &bits) < 0) return 0;
	return sign == 8 * size - 1 && exp == bits && mantissa == 0 && exp_bits + bits == sign && exp_bits == (size == 2 ? 5 : size == 4 ? 8 : 11);
}

static int stat_dataset(hid set, gh_info *info) {
	const int contiguous = 1;
	hid type = H5Dget_type(set), space = H5Dget_space(set), made = H5Dget_create_plist(set);
	int rc = -1;
	if (type >= 0 && space >= 0 && made >= 0) {
		info->contiguous = H5Pget_layout(made) == contiguous;
		info->class = H5Tget_class(type);
		info->size = (int)H5Tget_size(type);
		info->variable = H5Tis_variable_str(type) > 0;
		info->plain = plain_number(type);
		info->rank = H5Sget_simple_extent_ndims(space);
		info->stored = H5Dget_storage_size(set);
		if (info->class >= 0 && info->size > 0 && info->rank >= 0 && info->rank <= gh_max_rank)
			rc = H5Sget_simple_extent_dims(space, info->dims, NULL);
	}
	if (type >= 0) H5Tclose(type);
	if (space >= 0) H5Sclose(space);
	if (made >= 0) H5Pclose(made);
	return rc < 0 ? failed() : 0;
}

int gh_stat(int64_t file, const char *path, gh_info *info) {
	hush();
	hid set = H5Dopen2(file, path, 0);
	if (set < 0) return failed();
	int rc = stat_dataset(set, info);
	H5Dclose(set);
	return rc;
}

int gh_read(int64_t file, const char *path, int type, void *data) {
	hush();
	hid set = H5Dopen2(file, path, 0);
	if (set < 0) return failed();
	int rc = H5Dread(set, type == gh_int ? *native_int : *native_float, 0, 0, 0, data);
	if (rc < 0) failed();
	H5Dclose(set);
	return rc < 0 ? -1 : 0;
}

int gh_read_string(int64_t file, const char *path, char *s) {
	hush();
	hid set = H5Dopen2(file, path, 0);
	if (set < 0) return failed();
	hid type = H5Dget_type(set);
	int rc = type < 0 ? -1 : H5Dread(set, type, 0, 0, 0, s);
	if (rc < 0) failed();
	if (type >= 0) H5Tclose(type);
	H5Dclose(set);
	return rc < 0 ? -1 : 0;
}

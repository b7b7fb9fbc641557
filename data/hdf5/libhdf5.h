// The part of libhdf5 that gocaffe uses, behind functions that take paths and keep no handles but the file's. Not safe for concurrent
// use: neither is libhdf5. On failure they return a negative number, and gh_message says why.
#include <stdint.h>

enum { gh_max_rank = 32, gh_error_size = 256 };
enum { gh_max_ratio = 1032 }; // how much smaller deflate makes data at most
enum { gh_no_group = -2 };
enum { gh_float = 0, gh_int = 1 };                   // element types in memory
enum { gh_class_integer = 0, gh_class_float = 1, gh_class_string = 3 }; // H5T_class_t

typedef struct {
	int class, size, variable; // type class, bytes an element, whether a string has variable length
	int contiguous; // whether the elements lie in the file one behind the other, neither in chunks nor in the header
	int plain; // an integer or IEEE float as it lies in memory
	int rank;
	unsigned long long dims[gh_max_rank];
	unsigned long long stored; // bytes that the elements take in the file
} gh_info;

// 0: loaded; -1: no such library; -2: it lacks a function or is older than 1.10.
int gh_load(const char *name);
void gh_version(unsigned v[3]);
extern char gh_message[gh_error_size]; // why the last call failed
int gh_no_memory(void); // whether the last failure was that memory ended

// Reads a file of that size in a child process, so that a damaged one ends the child. 0: it can be read, or there can be no child.
int gh_trial(const char *path, unsigned long long size);

int64_t gh_create(const char *path);
int64_t gh_open(const char *path);
int gh_close(int64_t file);

int gh_exists(int64_t file, const char *path); // 1, 0
int gh_make_group(int64_t file, const char *path);
int64_t gh_count(int64_t file, const char *group); // gh_no_group: it cannot be opened
int gh_is_object(int64_t file, const char *path);  // 1, 0
int64_t gh_name(int64_t file, const char *group, unsigned long long i, char *name, unsigned long n); // length

int gh_write(int64_t file, const char *path, int type, int rank, const unsigned long long *dims, const void *data);
int gh_write_string(int64_t file, const char *path, const char *s, unsigned long n);
int gh_stat(int64_t file, const char *path, gh_info *info);
int gh_read(int64_t file, const char *path, int type, void *data);
int gh_read_string(int64_t file, const char *path, char *s);

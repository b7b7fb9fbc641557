// libhdf5 (seen in 1.10.8) answers some damaged files with a crash, or with a loop that takes memory until none is left. So a child
// process, which only this C code runs in, reads a file first: what happens to the child is an error to the parent.
#include "libhdf5.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { fine = 0, refused = 1, no_memory = 2 }; // how the child ends

// What the child may take beyond what the process has when it starts: memory for the library's tables beside a dataset's elements, and time.
static const unsigned long long memory_allowed = 256 << 20, bytes_per_second = 10 << 20;
static const unsigned long long seconds_allowed = 10;

enum { max_depth = 16, max_objects = 1 << 17, path_size = 4096 };

static unsigned long long address_space(void) {
	unsigned long long pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");
	if (!f) return 0;
	if (fscanf(f, "%llu", &pages) != 1) pages = 0;
	fclose(f);
	return pages * (unsigned long long)sysconf(_SC_PAGESIZE);
}

static void limit(int resource, unsigned long long n) {
	struct rlimit now;
	if (getrlimit(resource, &now) != 0) return;
	now.rlim_cur = now.rlim_max == RLIM_INFINITY || n < now.rlim_max ? n : now.rlim_max;
	setrlimit(resource, &now);
}

// alone makes the child independent of the Go program that it is a copy of: its signal handlers need threads that the child does not have.
static void alone(unsigned long long size) {
	for (int s = 1; s < NSIG; s++) signal(s, SIG_DFL);
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	int null = open("/dev/null", O_RDWR);
	if (null >= 0) dup2(null, 2); // glibc's word on a broken heap
	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_CPU, seconds_allowed + size / bytes_per_second);
	unsigned long long now = address_space();
	if (now) limit(RLIMIT_AS, now + memory_allowed + 2 * size);
}

// allow lets the child take bytes beyond what it has and may take.
static void allow(unsigned long long bytes) {
	struct rlimit now;
	if (getrlimit(RLIMIT_AS, &now) == 0 && now.rlim_cur != RLIM_INFINITY) limit(RLIMIT_AS, now.rlim_cur + bytes);
}

static char *reason; // memory that the parent sees

// give_up ends the child where memory ended: the parent, which has no limit, would go on.
static void give_up(void) {
	if (gh_no_memory()) _exit(no_memory);
}

// refuse ends the child with what the library says about an object, "" for the file.
static void refuse(const char *path) {
	give_up();
	int n = *path ? snprintf(reason, gh_error_size, "%.100s: ", path) : 0;
	snprintf(reason + n, gh_error_size - n, "%s", gh_message);
	_exit(refused);
}

// values reads a dataset's elements. Contiguous ones are copied as they lie; looking up chunks and decompressing them can go wrong.
static void values(int64_t file, const char *path, const gh_info *info, unsigned long long size) {
	unsigned long long n = 1;
	for (int i = 0; i < info->rank; i++)
		if (__builtin_mul_overflow(n, info->dims[i], &n)) return;
	int text = info->class == gh_class_string;
	if (info->contiguous || n == 0 || n > size * gh_max_ratio || (text ? n != 1 || info->variable : !info->plain)) return;
	size_t bytes = text ? (size_t)info->size : n * sizeof(float);
	allow(bytes);
	void *data = malloc(bytes);
	if (!data) _exit(no_memory);
	if ((text ? gh_read_string(file, path, data) : gh_read(file, path, gh_float, data)) < 0) give_up();
	free(data);
}

static int visited;

// visit reads the object at path, which is empty for the root and has path_size bytes of room, and all below it. Links may lead back up.
static void visit(int64_t file, char *path, int depth, unsigned long long size) {
	gh_info info;
	if (depth > max_depth || ++visited > max_objects) return;
	const char *name = *path ? path : "/";
	if (gh_stat(file, name, &info) == 0) {
		values(file, name, &info, size);
		return;
	}
	give_up();
	int64_t n = gh_count(file, name);
	if (n < 0) {
		// A type that has a name is neither a dataset nor a group.
		if (n == gh_no_group && gh_is_object(file, name)) return;
		refuse(name);
	}
	size_t end = strlen(path);
	for (int64_t i = 0; i < n; i++) {
		int64_t length = gh_name(file, name, i, path + end + 1, path_size - end - 1);
		if (length < 0) refuse(name);
		if (length > 0 && (size_t)length < path_size - end - 1) {
			path[end] = '/';
			visit(file, path, depth + 1, size);
		}
		path[end] = 0;
	}
}

static void child(const char *name, unsigned long long size) {
	static char path[path_size];
	alone(size);
	int64_t file = gh_open(name);
	if (file < 0) refuse("");
	visit(file, path, 0, size);
	gh_close(file);
	_exit(fine);
}

// verdict words how the child ended.
static int verdict(int status) {
	if (WIFEXITED(status) && WEXITSTATUS(status) == fine) return 0;
	if (WIFSIGNALED(status))
		snprintf(reason, gh_error_size, "the file is damaged: libhdf5 does not survive it (%s)", strsignal(WTERMSIG(status)));
	else if (WEXITSTATUS(status) == no_memory)
		snprintf(reason, gh_error_size, "the file is damaged: libhdf5 takes more than 256 MiB of memory beside its data");
	return -1;
}

int gh_trial(const char *name, unsigned long long size) {
	reason = mmap(NULL, gh_error_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (reason == MAP_FAILED) return 0;
	// No signal may reach a handler of Go's in the child before they are gone.
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pid_t pid = fork();
	if (pid == 0) child(name, size);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	int rc = 0, status;
	// Where there is no memory for a second process the file is read without a trial.
	if (pid > 0) {
		while ((rc = waitpid(pid, &status, 0)) < 0 && errno == EINTR) {
		}
		rc = rc < 0 ? 0 : verdict(status);
	}
	if (rc < 0) memcpy(gh_message, reason, gh_error_size);
	munmap(reason, gh_error_size);
	return rc;
}

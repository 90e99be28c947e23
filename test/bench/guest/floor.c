/*
 * The floor: nothing but the system calls.
 *
 *   floor KERNEL INITRD CMDLINE   open both files, load them
 *   floor                         unload
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define KEXEC_FILE_UNLOAD 1 /* include/uapi/linux/kexec.h */

int main(int argc, char **argv)
{
	long result;

	if (argc == 1) {
		result = syscall(SYS_kexec_file_load, -1, -1, 0L, NULL, KEXEC_FILE_UNLOAD);
	} else if (argc == 4) {
		int kernel = open(argv[1], O_RDONLY | O_CLOEXEC);
		int initrd = open(argv[2], O_RDONLY | O_CLOEXEC);

		result = syscall(SYS_kexec_file_load, kernel, initrd, strlen(argv[3]) + 1, argv[3], 0L);
	} else {
		return 2;
	}
	if (result != 0)
		perror("kexec_file_load");
	return result != 0;
}

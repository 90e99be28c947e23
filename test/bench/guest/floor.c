/*
 * The floor: nothing but the system calls.
 *
 *   floor KERNEL CMDLINE INITRD...   open the files, load them; several archives are joined first,
 *                                    by the kernel's own copy into a memfd
 *   floor                            unload
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <unistd.h>

#define KEXEC_FILE_UNLOAD 1 /* include/uapi/linux/kexec.h */
#define MOST 0x7ffff000 /* include/linux/fs.h, MAX_RW_COUNT with pages of 4 KiB */

static int joined(int count, char **paths)
{
	int memfd = memfd_create("initramfs", MFD_CLOEXEC);

	for (int i = 0; i < count; i++) {
		int file = open(paths[i], O_RDONLY | O_CLOEXEC);
		ssize_t copied;

		do
			copied = sendfile(memfd, file, NULL, MOST);
		while (copied > 0);
		if (copied < 0)
			perror(paths[i]);
	}
	return memfd;
}

int main(int argc, char **argv)
{
	long result;

	if (argc == 1) {
		result = syscall(SYS_kexec_file_load, -1, -1, 0L, NULL, KEXEC_FILE_UNLOAD);
	} else if (argc >= 4) {
		int kernel = open(argv[1], O_RDONLY | O_CLOEXEC);
		int initrd = argc == 4 ? open(argv[3], O_RDONLY | O_CLOEXEC)
				       : joined(argc - 3, argv + 3);

		result = syscall(SYS_kexec_file_load, kernel, initrd, strlen(argv[2]) + 1, argv[2], 0L);
	} else {
		return 2;
	}
	if (result != 0)
		perror("kexec_file_load");
	return result != 0;
}

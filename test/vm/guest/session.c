/*
 * An agent of live update: include/uapi/linux/liveupdate.h.
 *
 *   session create NAME     makes a session, says so, and holds it until it is ended
 *   session retrieve NAME   takes over the session that the kernel before handed on
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

struct session {
	uint32_t size;
	int32_t fd;
	uint8_t name[64];
};

#define CREATE_SESSION _IO(0xba, 0x00)
#define RETRIEVE_SESSION _IO(0xba, 0x01)

int main(int argc, char **argv)
{
	struct session session = { .size = sizeof(session) };
	int create, device;

	if (argc != 3 || strlen(argv[2]) >= sizeof(session.name))
		return 2;
	create = strcmp(argv[1], "create") == 0;
	strcpy((char *)session.name, argv[2]);
	device = open("/dev/liveupdate", O_RDWR);
	if (device < 0 || ioctl(device, create ? CREATE_SESSION : RETRIEVE_SESSION, &session) < 0) {
		perror(argv[1]);
		return 1;
	}
	puts("done");
	fflush(stdout);
	while (create)
		pause();
	return 0;
}

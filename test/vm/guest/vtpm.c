/*
 * A TPM behind the kernel's vtpmx (drivers/char/tpm/tpm_vtpm_proxy.c) that hands every command to another one.
 * From SIGUSR1 on it answers as it is told: TPM2_PCR_Event so many times by a response code (-1: always), or, for
 * TPM_RC_FAILURE, everything that a TPM in failure mode does not answer (Part 3, 10.2).
 *
 *   vtpm BACKEND CODE TIMES      prints the number of the device, and stays
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/vtpm_proxy.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static volatile sig_atomic_t armed;

static void arm(int number)
{
	(void)number;
	armed = 1;
}

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

int main(int argc, char **argv)
{
	struct vtpm_proxy_new_dev device = { .flags = VTPM_PROXY_FLAG_TPM2 };
	unsigned char buffer[4096];
	uint32_t code;
	long times;
	int vtpmx, backend;

	if (argc != 4)
		return 2;
	code = strtoul(argv[2], NULL, 0);
	times = strtol(argv[3], NULL, 0);
	signal(SIGUSR1, arm);
	backend = open(argv[1], O_RDWR);
	if (backend < 0)
		fail(argv[1]);
	vtpmx = open("/dev/vtpmx", O_RDWR);
	if (vtpmx < 0 || ioctl(vtpmx, VTPM_PROXY_IOC_NEW_DEV, &device) < 0)
		fail("/dev/vtpmx");
	printf("%u\n", device.tpm_num);
	fflush(stdout);
	for (;;) {
		ssize_t got = read(device.fd, buffer, sizeof(buffer));
		uint32_t command, answer = 0;
		int own = 0;

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 10)
			fail("read a command");
		memcpy(&command, buffer + 6, 4);
		command = ntohl(command);
		if (command == 0x20001000) {
			/* TPM2_CC_SET_LOCALITY, the proxy's own */
			own = 1;
		} else if (armed && code == 0x101 && command != 0x17a && command != 0x17c) {
			/* all but TPM2_GetCapability and TPM2_GetTestResult */
			own = 1;
			answer = code;
		} else if (armed && command == 0x13c && times != 0) {
			own = 1;
			answer = code;
			if (times > 0)
				times--;
		}
		if (own) {
			const uint16_t tag = htons(0x8001);
			const uint32_t size = htonl(10);

			answer = htonl(answer);
			memcpy(buffer, &tag, 2);
			memcpy(buffer + 2, &size, 4);
			memcpy(buffer + 6, &answer, 4);
			got = 10;
		} else {
			if (write(backend, buffer, got) != got)
				fail("hand on a command");
			got = read(backend, buffer, sizeof(buffer));
			if (got < 0)
				fail("take the response");
		}
		/* On a busy host the kernel may not wait any more: it will send the next one all the same */
		if (write(device.fd, buffer, got) != got)
			perror("answer");
	}
}

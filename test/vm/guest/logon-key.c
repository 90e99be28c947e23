/*
 * A key of an encrypted disk, as cryptsetup keeps it: keyctl(1) is in no guest.
 *
 *   logon-key add NAME      puts a logon key of 32 bytes into this user's keyring
 *   logon-key unlink NAME   takes it out again
 */
#include <string.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#define KEY_SPEC_USER_KEYRING -4
#define KEYCTL_UNLINK 9
#define KEYCTL_SEARCH 10

int main(int argc, char **argv)
{
	char bytes[32];
	long key, done;

	if (argc != 3)
		return 2;
	memset(bytes, 'k', sizeof(bytes));
	if (strcmp(argv[1], "add") == 0) {
		done = syscall(SYS_add_key, "logon", argv[2], bytes, sizeof(bytes), KEY_SPEC_USER_KEYRING);
	} else {
		key = syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_USER_KEYRING, "logon", argv[2], 0);
		done = key < 0 ? key : syscall(SYS_keyctl, KEYCTL_UNLINK, key, KEY_SPEC_USER_KEYRING);
	}
	if (done < 0)
		perror(argv[1]);
	return done < 0;
}

/** Causes and cures of what comes over the network: see src/causes.ts. */
export const networkCauses = {
  "no-interface": {
    cause: "a URL, and no network interface but the loopback one",
    cure: "put the driver's module into the initramfs",
  },
  "no-link": {
    cause: "no network interface has a link, or all are switched off",
    cure: "plug the cable in at both ends; `ip link set NAME up`",
  },
  "no-address": {
    cause: "no network interface with a link has an address",
    cure: "`ip=dhcp` on the kernel command line, or a DHCP client",
  },
  "name-not-found": {
    cause: "the server's name has no address, or no name server is set",
    cure: "correct the name, name the server by its address, or set a name server",
  },
  "no-route": {
    cause: "there is no route to the server's address",
    cure: "set a gateway; `ip route get ADDRESS` shows the route",
  },
  "connection-refused": {
    cause: "the server's machine takes no connections on that port",
    cure: "start the server, or correct the port",
  },
  "tls-unknown-authority": {
    cause: "no trusted authority vouches for the server's certificate",
    cure: "name its authority's certificate with `--ca`",
  },
  "tls-wrong-name": {
    cause: "the server's certificate is for another name",
    cure: "use the name that it is for",
  },
  "tls-expired": {
    cause: "the server's certificate has expired, or is not valid yet",
    cure: "renew it",
  },
  "clock-wrong": {
    cause: "this machine's clock is before this program was built, so that dates cannot be checked",
    cure: "set the clock",
  },
  "tls-failed": {
    cause: "TLS failed for another reason: no TLS there, an older one than 1.2, a broken one",
    cure: "try `openssl s_client -connect HOST:PORT`",
  },
  "http-status": {
    cause: "the server answers with a status that is no success; the message says which",
    cure: "see the server's log",
  },
  "redirect-refused": {
    cause: "the server redirects more than 5 times, or to what is not https",
    cure: "give the URL that it leads to",
  },
  "bad-answer": {
    cause: "the server's answer is not HTTP, compressed, or not what was asked for",
    cure: "have it serve the file as it is",
  },
  "transfer-cut": {
    cause: "the connection was closed before the end of the file, again and again",
    cure: "try again; the server's log may say why",
  },
  "too-long": {
    cause: "the server has more bytes than were signed, or than such a file can have",
    cure: "put the right file on the server",
  },
  stalled: {
    cause: "no byte came for 15 seconds, or hardly any for a minute",
    cure: "see whether the server and the way to it are up",
  },
  aborted: { cause: "the caller called it off (`signal`)", cure: "none: it was asked for" },
} as const;

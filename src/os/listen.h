/* Listening descriptors from text addresses.
 *
 *   127.0.0.1:9999   TCP over IPv4; 0.0.0.0 for every interface
 *   [::1]:9999       TCP over IPv6 (and not IPv4); [::] for every interface
 *   unix:PATH        a Unix stream socket
 *   fd:N             a listening stream socket that this process was given
 *
 * Addresses are numeric: nothing is looked up.  Port 0 takes one that is free.
 *
 * Not proved: this is start-up code, made of system calls.  The tests of
 * tests/e2e cover it.
 */
#ifndef TN_OS_LISTEN_H
#define TN_OS_LISTEN_H

#include "core/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Connections that may wait to be accepted; the system caps it. */
#define TN_DEFAULT_BACKLOG 4096u

/* Room for the text of any address: a Unix path of 107 bytes, and `unix:`. */
#define TN_ADDRESS_LEN 128u

/* Opens a listening stream descriptor, non-blocking and closed on exec, and
 * writes the text of the address it is bound to, with the port it got, to
 * bound.  backlog 0 takes the default.
 *
 * On TCP the accepted connections send small replies at once (TCP_NODELAY is
 * inherited), and a port is free again when its server has ended.  A Unix
 * socket that is left over, so that nobody answers there, is replaced; any
 * other file is refused.  Of two servers that replace it at the same moment the
 * later one wins.
 *
 * Returns the descriptor, or TN_EADDRESS (the text is no such address, or
 * descriptor N no listening stream socket), TN_EINUSE, TN_EACCESS, TN_EFILES,
 * TN_EMEMORY, or TN_ESYSTEM with the reason in errno. */
int32_t tn_listen_open(const char *address, uint32_t backlog, char bound[TN_ADDRESS_LEN]);

/* Opens count listening descriptors (1 or more) for one address, fd[0 .. count -
 * 1], one for each of as many processes.  On TCP each has its own queue and the
 * system spreads connections over them (SO_REUSEPORT); elsewhere they are the
 * same listener.  Returns 1, or as tn_listen_open; none is open then. */
int32_t tn_listen_open_many(const char *address, uint32_t backlog, char bound[TN_ADDRESS_LEN],
                            int32_t *fd, uint32_t count);

/* The same listener once more, as a descriptor of its own, closed on exec.
 * Returns it, or TN_EFILES or TN_ESYSTEM. */
int32_t tn_listen_again(int32_t fd);

/* Removes the socket file of a `unix:PATH` address; others leave nothing. */
void tn_listen_remove(const char *address);

#ifdef __cplusplus
}
#endif

#endif

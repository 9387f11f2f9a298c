/* Tenon: a minimal server kit, machine-checked.
 *
 * This header is all that an embedding program includes:
 *   serve/server.h   the pull engine: tn_init, tn_listen, tn_next, tn_send, ...
 *   serve/service.h  the same engine with callbacks
 *   serve/stream.h   one client in code that runs from top to bottom
 *   dispatch/dispatch.h  a process or a thread for each client, or a fixed number
 *   dispatch/crew.h  threads for work that takes long, beside a loop
 *   dispatch/team.h  processes for work that takes long or may crash
 *   dispatch/channel.h  a bounded queue between threads
 *   os/records.h     a bounded queue between processes
 *   os/lock.h        mutex, semaphore, event flag, for threads and processes
 *   os/listen.h      listening descriptors from text addresses
 *   os/signals.h     signals as a descriptor to watch
 *   os/wake.h        waking a loop from another thread or a signal handler
 *   core/result.h    names of results
 */
#ifndef TENON_H
#define TENON_H

#include "core/result.h"
#include "dispatch/channel.h"
#include "dispatch/crew.h"
#include "dispatch/dispatch.h"
#include "dispatch/team.h"
#include "os/listen.h"
#include "os/lock.h"
#include "os/records.h"
#include "os/signals.h"
#include "os/wake.h"
#include "serve/server.h"
#include "serve/service.h"
#include "serve/stream.h"

#endif

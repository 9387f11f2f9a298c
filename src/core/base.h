/* Limits and results: the words every other module speaks in.
 *
 * Limits are compile-time constants, so that one declaration of struct
 * tn_server sizes everything and nothing is allocated after start-up.
 * Override any of them with -D; every file of the program must see the same
 * values.  The proofs are run for the values that stand here.
 */
#ifndef TN_CORE_BASE_H
#define TN_CORE_BASE_H

#include <stddef.h>
#include <stdint.h>

/* Connections the table can hold, at 62 bytes each when idle.  The limit in
 * force is chosen at run time, up to this one. */
#ifndef TN_CONNECTIONS
#define TN_CONNECTIONS 16384u
#endif

/* Listening descriptors of one server. */
#ifndef TN_LISTENERS
#define TN_LISTENERS 8u
#endif

/* Foreign descriptors (signals, standard input, ...) watched beside them. */
#ifndef TN_WATCHES
#define TN_WATCHES 8u
#endif

/* Timers of the caller's, numbered from 0.  They lie in an array that is gone
 * through when one is set or rings: dozens, not thousands. */
#ifndef TN_USER_TIMERS
#define TN_USER_TIMERS 64u
#endif

/* The longest payload of a frame, in bytes. */
#ifndef TN_FRAME_MAX
#define TN_FRAME_MAX 65536u
#endif

/* Buffers shared by all connections.  One is owned only while a frame is
 * unfinished or output is unsent.  At most 65,534. */
#ifndef TN_BLOCKS
#define TN_BLOCKS 256u
#endif

/* Readiness reports taken from the kernel in one call. */
#ifndef TN_BATCH
#define TN_BATCH 128u
#endif

/* Bytes of framing around a payload, at most (netstring: 10 digits, ':', ','). */
#define TN_FRAME_OVERHEAD 12u
#define TN_ENCODED_MAX (TN_FRAME_MAX + TN_FRAME_OVERHEAD)

/* "No index": never a valid slot, block or timer. */
#define TN_NONE 0xffffffffu

/* Results.  One convention everywhere: > 0 progress, 0 nothing yet, < 0 an
 * error with a name (tn_strerror).  Where 0 is itself a value (a descriptor),
 * "nothing yet" is TN_EAGAIN. */
#define TN_EOF (-1)       /* the peer, or the server, has finished */
#define TN_EAGAIN (-2)    /* would block */
#define TN_EINVAL (-3)    /* an argument is out of its range */
#define TN_ESTALE (-4)    /* the handle's connection is gone */
#define TN_ETOOBIG (-5)   /* longer than the frame maximum */
#define TN_EFRAME (-6)    /* bytes that are no frame */
#define TN_ERESET (-7)    /* the connection broke */
#define TN_EFILES (-8)    /* no descriptor left: EMFILE, ENFILE */
#define TN_EMEMORY (-9)   /* the kernel is out of memory or buffers */
#define TN_EFULL (-10)    /* a table of fixed size is full */
#define TN_ESYSTEM (-11)  /* any other refusal of the system */
#define TN_EADDRESS (-12) /* not an address to listen on */
#define TN_EINUSE (-13)   /* the address is in use */
#define TN_EACCESS (-14)  /* the system permits it to others only */

#endif

/* defines: -DTN_CONNECTIONS=6u -DTN_BLOCKS=2u -DTN_FRAME_MAX=24u -DTN_BATCH=8u -DTN_LISTENERS=3u -DTN_WATCHES=3u */
/* What users of other event loops complain of, over epoll-et. */
#define MODEL TN_EPOLL_ET
#define IN_KERNEL
#include "sim/test_complaints.c"

/* A service with callbacks, over the pull engine.  Not proved. */
#include "serve/service.h"

static void dispatch(struct tn_server *s, const struct tn_service *service, void *context,
                     const struct tn_event *ev)
{
    switch (ev->type) {
    case TN_OPENED:
        if (service->opened != NULL) {
            service->opened(context, s, ev->conn);
        }
        break;
    case TN_FRAME:
        if (service->frame != NULL) {
            service->frame(context, s, ev->conn, ev->data, ev->len);
        }
        break;
    case TN_CLOSED:
        if (service->closed != NULL) {
            service->closed(context, s, ev->conn, ev->reason);
        }
        break;
    case TN_READY:
        if (service->ready != NULL) {
            service->ready(context, s, ev->watch);
        }
        break;
    case TN_TIMER:
        if (service->timer != NULL) {
            service->timer(context, s, ev->timer);
        }
        break;
    default:
        break;
    }
}

int32_t tn_serve(struct tn_server *s, const struct tn_service *service, void *context)
{
    struct tn_event ev;
    int32_t result;

    while ((result = tn_next(s, &ev, TN_FOREVER)) >= 0) {
        dispatch(s, service, context, &ev);
    }
    return result;
}

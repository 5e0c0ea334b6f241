/* hp-bus: one D-Bus object on a private socket, and on the session bus where there is
 * one.
 *
 * Methods are rows of a table and run one after the other on the control thread, so they
 * may read databases; the main thread only receives and hands over. Those that may take
 * minutes run on a second thread, one after the other too.
 *
 * Threads: made and freed by main; hp_bus_emit() from any.
 */
#pragma once

#include <gio/gio.h>

typedef struct _HpBus HpBus;

typedef struct {
    gpointer context;     /* (unowned): as given to hp_bus_new() */
    GVariant *args;       /* (unowned): the tuple of arguments, of the right type */
    GCancellable *cancel; /* (unowned): cancelled when the bus is freed */
    GUnixFDList *ret_fds; /* (owned) (nullable): descriptors to send with the answer */
} HpBusCall;

typedef enum {
    HP_BUS_PRIVATE = 1 << 0, /* secrets and bodies: refused on the session bus */
    HP_BUS_SLOW = 1 << 1,    /* may take minutes: nobody else shall wait behind it */
} HpBusFlags;

typedef struct {
    const char *name; /* (unowned): of the D-Bus method */
    HpBusFlags flags;
    /* Returns the tuple of results (floating or full), or %NULL with @error set. */
    GVariant *(*run)(HpBusCall *call, GError **error);
} HpBusMethod;

typedef struct {
    const char *bus_name;       /* (unowned): also the base of the object path */
    const char *object_path;    /* (unowned) */
    GDBusInterfaceInfo *info;   /* (unowned) */
    const HpBusMethod *methods; /* (unowned): ended by a row without a name */
    /* Value of a property, (nullable); on the control thread too. */
    GVariant *(*property)(gpointer context, const char *name);
    gpointer context; /* (unowned) */
} HpBusObject;

/**
 * hp_bus_new:
 * @object: copied; what it points to outlives the bus
 * @socket_path: of the private socket, in a folder that nobody else can reach; a stale
 * one is replaced
 * @error: #G_IO_ERROR
 *
 * Begins to answer. Only peers with our own uid are let in. Not getting the name on the
 * session bus is a line in the log, not an error.
 */
HpBus *hp_bus_new(const HpBusObject *object, const char *socket_path, GError **error);

/* Answers nothing more, cancels slow methods and waits for what is running. */
void hp_bus_free(HpBus *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HpBus, hp_bus_free)

/* Has @run called with the context on the control thread, after what waits there. */
void hp_bus_run(HpBus *self, void (*run)(gpointer context));

/* Sends a signal to everybody who is connected. @args: a tuple, floating is taken. */
void hp_bus_emit(HpBus *self, const char *signal, GVariant *args);

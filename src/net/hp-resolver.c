#include "hp-resolver.h"

#include "hp-dns-driver.h"
#include "hp-dns-parse.h"
#include "hp-lock.h"

#include <gio/gio.h>
#include <glib/gi18n.h>
#include <string.h>

#define MAX_ASK_MS     25000 /* with the proof below 30 s in all */
#define MAX_CNAMES     8
#define PROOF_MS       5000 /* for finding out whether a resolver is there, or truthful */
#define RCODE_FORMERR  1
#define RCODE_NXDOMAIN 3
#define MAX_NAME       253 /* octets as text without final dot; RFC 1035 §2.3.4 */

struct _HpResolver {
    HpDnsDriver *driver; /* (owned) */
    HpLock lock;
    gboolean proven; /* has given a positive answer on this network; guarded by lock */
};

/* One question of a caller, on its way along CNAMEs. */
typedef struct {
    HpResolver *resolver; /* (unowned) */
    HpDnsType type;
    gint64 deadline_usec;
    guint hops;
} Search;

void
hp_dns_answer_free(HpDnsAnswer *self)
{
    if (self == NULL)
        return;
    g_free(self->canonical);
    g_free(self->problem);
    g_clear_pointer(&self->records, g_ptr_array_unref);
    g_free(self);
}

static HpDnsAnswer *
answer_new(HpDnsStatus status, const char *name, const char *problem)
{
    HpDnsAnswer *answer = g_new0(HpDnsAnswer, 1);

    answer->status = status;
    answer->canonical = g_ascii_strdown(name, -1);
    answer->problem = g_strdup(problem);
    answer->records = g_ptr_array_new_with_free_func((GDestroyNotify)hp_dns_record_free);
    return answer;
}

static gboolean
is_proven(HpResolver *self)
{
    HP_LOCKED(&self->lock);
    return self->proven;
}

static void
set_proven(HpResolver *self, gboolean proven)
{
    HP_LOCKED(&self->lock);
    self->proven = proven;
}

/* Asks; a server that does not understand EDNS is asked again without (RFC 6891 §7). */
static HpDnsRaw
ask_once(Search *search, const char *name, HpDnsParsed *ret_parsed)
{
    HpDnsQuestion question = { name, search->type, TRUE, search->deadline_usec };

    for (guint i = 0; i < 2; i++) {
        g_autoptr(GByteArray) packet = NULL;
        HpDnsRaw raw = hp_dns_driver_ask(search->resolver->driver, &question, &packet);

        if (raw != HP_DNS_RAW_ANSWER)
            return raw;
        question.edns = FALSE;
        if (packet->len > 3 && (packet->data[3] & 0x0f) == RCODE_FORMERR && i == 0)
            continue;
        if (!hp_dns_parse((HpSlice){ (const char *)packet->data, packet->len }, name,
                          search->type, ret_parsed))
            return HP_DNS_RAW_UNUSABLE;
        return HP_DNS_RAW_ANSWER;
    }
    return HP_DNS_RAW_UNUSABLE;
}

static gint64
now_plus_ms(int ms)
{
    return g_get_monotonic_time() + (gint64)ms * 1000;
}

/* Does any name server answer anything? The root is in every resolver's memory. */
static gboolean
is_anyone_there(HpResolver *self)
{
    Search probe = { self, HP_DNS_SOA, now_plus_ms(PROOF_MS), 0 };
    g_auto(HpDnsParsed) parsed = { .rcode = 0 };
    HpDnsRaw raw = ask_once(&probe, "", &parsed);

    return raw == HP_DNS_RAW_ANSWER || raw == HP_DNS_RAW_UNUSABLE;
}

/* What it means that there was no usable answer. */
static HpDnsAnswer *
answer_for_failure(Search *search, const char *name, HpDnsRaw raw)
{
    switch (raw) {
    case HP_DNS_RAW_IMPOSSIBLE:
        return answer_new(HP_DNS_NOT_FOUND, name,
                          _("such names are not looked up in the DNS"));
    case HP_DNS_RAW_UNREACHABLE:
        /* c-ares 1.18 also says so after SERVFAIL and REFUSED from every server. */
        if (!is_anyone_there(search->resolver))
            return answer_new(HP_DNS_NO_RESOLVER, name, _("no name server answers"));
        return answer_new(HP_DNS_TEMPORARY, name,
                          _("the name servers could not answer the question"));
    case HP_DNS_RAW_TIMEOUT:
        if (!is_anyone_there(search->resolver))
            return answer_new(HP_DNS_NO_RESOLVER, name, _("no name server answers"));
        return answer_new(HP_DNS_TEMPORARY, name,
                          _("the name server did not answer in time"));
    case HP_DNS_RAW_ABORTED:
        return answer_new(HP_DNS_TEMPORARY, name, _("the look-up was stopped"));
    case HP_DNS_RAW_ANSWER:
    case HP_DNS_RAW_UNUSABLE:
    default:
        return answer_new(HP_DNS_TEMPORARY, name,
                          _("the name servers could not answer the question"));
    }
}

static gboolean
is_inside(const char *name, const char *zone)
{
    size_t name_len = strlen(name);
    size_t zone_len = strlen(zone);

    if (zone_len == 0)
        return TRUE;
    return name_len >= zone_len &&
           g_ascii_strcasecmp(name + name_len - zone_len, zone) == 0 &&
           (name_len == zone_len || name[name_len - zone_len - 1] == '.');
}

/* The zone that an NXDOMAIN names must exist, says the same resolver. */
static gboolean
zone_exists(Search *search, const char *zone)
{
    gint64 deadline = MIN(search->deadline_usec, now_plus_ms(PROOF_MS));
    Search proof = { search->resolver, HP_DNS_SOA, deadline, 0 };
    g_auto(HpDnsParsed) parsed = { .rcode = 0 };

    return ask_once(&proof, zone, &parsed) == HP_DNS_RAW_ANSWER && parsed.rcode == 0 &&
           parsed.records->len > 0;
}

/* NXDOMAIN; a network that is not the internet says it of everything. */
static HpDnsAnswer *
judge_nxdomain(Search *search, const HpDnsParsed *parsed)
{
    if (parsed->soa == NULL || !is_inside(parsed->canonical, parsed->soa))
        return answer_new(HP_DNS_DOUBTFUL, parsed->canonical,
                          _("the name server says that the name does not exist, without "
                            "proof"));
    if (!is_proven(search->resolver)) {
        if (!zone_exists(search, parsed->soa))
            return answer_new(HP_DNS_DOUBTFUL, parsed->canonical,
                              _("the name server says that the name does not exist, but "
                                "knows nothing of its zone either"));
        set_proven(search->resolver, TRUE);
    }
    return answer_new(HP_DNS_NOT_FOUND, parsed->canonical, _("the name does not exist"));
}

/* One step along the chain. %NULL with @name moved on if the chain leads out of the
 * packet. */
static HpDnsAnswer *
judge(Search *search, HpDnsParsed *parsed, char **name)
{
    HpDnsAnswer *answer;

    search->hops += parsed->hops;
    if (parsed->endless || search->hops > MAX_CNAMES)
        return answer_new(HP_DNS_TEMPORARY, *name,
                          _("the name leads to ever more other names"));
    if (parsed->rcode == RCODE_NXDOMAIN)
        return judge_nxdomain(search, parsed);
    if (parsed->rcode != 0)
        return answer_new(HP_DNS_TEMPORARY, *name,
                          _("the name servers could not answer the question"));
    if (parsed->truncated && parsed->records->len == 0)
        return answer_new(HP_DNS_TEMPORARY, *name, _("the answer was cut off"));
    if (parsed->records->len == 0 && parsed->hops > 0 && parsed->soa == NULL) {
        g_free(*name);
        *name = g_strdup(parsed->canonical);
        return NULL;
    }
    if (parsed->records->len == 0)
        return answer_new(HP_DNS_NO_DATA, parsed->canonical,
                          _("the name has no such record"));
    answer = answer_new(HP_DNS_OK, parsed->canonical, NULL);
    g_ptr_array_unref(answer->records);
    answer->records = g_steal_pointer(&parsed->records);
    answer->ttl_sec = parsed->ttl_sec;
    answer->authentic =
        parsed->authentic && hp_dns_driver_is_local(search->resolver->driver);
    set_proven(search->resolver, TRUE);
    return answer;
}

/* Labels of 1 to 63 letters, digits, hyphens and underscores, with a dot between. */
static gboolean
is_askable(const char *name)
{
    size_t label = 0;

    for (const char *at = name; *at != '\0'; at++) {
        if (*at == '.') {
            if (label == 0)
                return FALSE;
            label = 0;
        } else if ((!g_ascii_isalnum(*at) && *at != '-' && *at != '_') || ++label > 63) {
            return FALSE;
        }
    }
    return label > 0 && strlen(name) <= MAX_NAME;
}

HpDnsAnswer *
hp_resolver_ask(HpResolver *self, const char *name, HpDnsType type, int timeout_ms)
{
    Search search = { self, type, now_plus_ms(CLAMP(timeout_ms, 0, MAX_ASK_MS)), 0 };
    g_autofree char *at = g_strdup(name);

    if (!is_askable(name))
        return answer_new(HP_DNS_NOT_FOUND, name, _("this cannot be a domain name"));
    for (;;) {
        g_auto(HpDnsParsed) parsed = { .rcode = 0 };
        HpDnsRaw raw = ask_once(&search, at, &parsed);
        HpDnsAnswer *answer = raw != HP_DNS_RAW_ANSWER
                                  ? answer_for_failure(&search, at, raw)
                                  : judge(&search, &parsed, &at);

        if (answer != NULL)
            return answer;
    }
}

static HpResolver *
resolver_new(const HpDnsDriverOptions *options, GError **error)
{
    g_autoptr(HpResolver) self = g_new0(HpResolver, 1);

    hp_lock_init(&self->lock);
    self->driver = hp_dns_driver_new(options, error);
    return self->driver != NULL ? g_steal_pointer(&self) : NULL;
}

HpResolver *
hp_resolver_new(const char *servers, GError **error)
{
    HpDnsDriverOptions options = { .servers = servers };

    return resolver_new(&options, error);
}

HpResolver *
hp_resolver_new_for_file(const char *resolv_conf, guint16 port, int timeout_ms,
                         GError **error)
{
    HpDnsDriverOptions options = { NULL, resolv_conf, port, timeout_ms };

    return resolver_new(&options, error);
}

void
hp_resolver_free(HpResolver *self)
{
    if (self == NULL)
        return;
    g_clear_pointer(&self->driver, hp_dns_driver_free);
    hp_lock_clear(&self->lock);
    g_free(self);
}

void
hp_resolver_network_changed(HpResolver *self)
{
    set_proven(self, FALSE);
    hp_dns_driver_reset(self->driver);
}

void
hp_resolver_abort(HpResolver *self)
{
    hp_dns_driver_abort(self->driver);
}

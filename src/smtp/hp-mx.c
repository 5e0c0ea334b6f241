#include "hp-mx.h"

#include "hp-address.h"
#include "hp-ip.h"

#include <arpa/inet.h>
#include <glib/gi18n.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>

#define TOTAL_MS  30000 /* for all questions about one domain */
#define MAX_HOSTS 8     /* whose addresses are looked up */
#define LIE_MS    5000  /* for a name that cannot exist */
#define SPARE     2     /* of the targets are kept for the rarer family */

typedef struct {
    char *name; /* (owned) */
    guint preference;
    guint32 lot; /* drawn: the order among equals */
} Host;

/* A search on its way. */
typedef struct {
    const HpMxOptions *options;  /* (unowned) */
    const HpRouteMemory *memory; /* (unowned) */
    HpMxRoute *route;            /* (unowned) */
    const char *domain;          /* (unowned): as the recipient's address has it */
    gint64 deadline_usec;
    GArray *hosts;                  /* (owned): Host */
    GPtrArray *found;               /* (owned): HpMxTarget, all of them */
    HpDnsStatus problem;            /* the worst answer about an address so far */
    char private[INET6_ADDRSTRLEN]; /* an address that was left out for that, or "" */
    gboolean own;                   /* the list was cut because of ourselves */
    gboolean unrouted;              /* an address without a route was left out */
} Search;

static void
target_free(gpointer item)
{
    HpMxTarget *target = item;

    if (target == NULL)
        return; /* it has moved into the route */
    g_free(target->host);
    g_free(target->address);
    g_free(target);
}

static void
host_clear(gpointer item)
{
    g_free(((Host *)item)->name);
}

void
hp_mx_route_free(HpMxRoute *self)
{
    if (self == NULL)
        return;
    hp_reply_clear(&self->reply);
    g_clear_pointer(&self->targets, g_ptr_array_unref);
    g_free(self->hosts);
    g_free(self);
}

static void
conclude(HpMxRoute *route, HpOutcome outcome, guint code, const char *enhanced,
         const char *text)
{
    route->outcome = outcome;
    hp_reply_clear(&route->reply);
    route->reply.stage = HP_STAGE_DNS;
    route->reply.code = code;
    g_strlcpy(route->reply.enhanced, enhanced, sizeof(route->reply.enhanced));
    route->reply.text = g_strdup(text);
}

/* It is for good. @format: one %s, the domain */
static void
refuse(Search *search, guint code, const char *enhanced, const char *format)
{
    g_autofree char *text = g_strdup_printf(format, search->domain);

    conclude(search->route, HP_OUTCOME_REFUSED, code, enhanced, text);
}

static void
note(HpMxRoute *route, HpLinkEvidence evidence)
{
    route->has_evidence = TRUE;
    route->evidence = evidence;
}

static HpDnsAnswer *
ask(Search *search, const char *name, HpDnsType type)
{
    gint64 left_ms = (search->deadline_usec - g_get_monotonic_time()) / 1000;

    return hp_resolver_ask(search->options->resolver, name, type,
                           (int)CLAMP(left_ms, 0, TOTAL_MS));
}

/* An answer that says nothing about the domain, but about the network or the moment. */
static void
conclude_unsure(HpMxRoute *route, HpDnsStatus status, const char *problem)
{
    g_autofree char *text =
        g_strdup_printf(_("the mail server of the domain could not be looked up: %s"),
                        problem != NULL ? problem : _("no answer"));
    gboolean network = status == HP_DNS_NO_RESOLVER || status == HP_DNS_DOUBTFUL;

    if (status == HP_DNS_NO_RESOLVER)
        note(route, HP_LINK_SAW_NO_DNS);
    conclude(route, network ? HP_OUTCOME_NETWORK : HP_OUTCOME_DEFERRED, 451, "4.4.3",
             text);
}

static void
add_host(Search *search, const char *name, guint preference, GRand *random)
{
    Host host = { g_strdup(name), preference, g_rand_int(random) };

    g_array_append_val(search->hosts, host);
}

static int
compare_hosts(gconstpointer a, gconstpointer b)
{
    const Host *left = a;
    const Host *right = b;

    if (left->preference != right->preference)
        return left->preference < right->preference ? -1 : 1;
    return left->lot < right->lot ? -1 : left->lot > right->lot;
}

/* The records of an MX answer; %FALSE for a null MX (RFC 7505 §3). */
static gboolean
take_mx(Search *search, const HpDnsAnswer *answer)
{
    guint32 seed = search->options->seed;
    g_autoptr(GRand) random = g_rand_new_with_seed(seed != 0 ? seed : g_random_int());

    for (guint i = 0; i < answer->records->len; i++) {
        const HpDnsRecord *record = g_ptr_array_index(answer->records, i);

        if (record->text[0] != '\0')
            add_host(search, record->text, record->preference, random);
    }
    g_array_sort(search->hosts, compare_hosts);
    return search->hosts->len > 0;
}

/* No MX: the domain's own address counts, if there is one (RFC 5321 §5.1). */
static void
take_implicit(Search *search, const char *domain)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(1);

    add_host(search, domain, 0, random);
}

/* NXDOMAIN for MX: believed only if the address says so as well. */
static gboolean
confirm_absence(Search *search, const char *domain)
{
    g_autoptr(HpDnsAnswer) answer = ask(search, domain, HP_DNS_A);

    if (answer->status == HP_DNS_OK)
        return FALSE;
    if (answer->status == HP_DNS_NOT_FOUND)
        refuse(search, 550, "5.1.2",
               _("the domain %s does not exist; check the part behind the @ for a typing "
                 "mistake"));
    else
        conclude_unsure(search->route,
                        answer->status == HP_DNS_NO_DATA ? HP_DNS_TEMPORARY
                                                         : answer->status,
                        answer->problem);
    return TRUE;
}

/* Fills the hosts; %FALSE when the outcome stands already. */
static gboolean
find_hosts(Search *search, const char *domain)
{
    g_autoptr(HpDnsAnswer) answer = ask(search, domain, HP_DNS_MX);

    switch (answer->status) {
    case HP_DNS_OK:
        note(search->route, HP_LINK_SAW_DNS);
        if (take_mx(search, answer))
            return TRUE;
        refuse(search, 556, "5.1.10", _("the domain %s says that it takes no mail"));
        return FALSE;
    case HP_DNS_NO_DATA:
        take_implicit(search, domain);
        return TRUE;
    case HP_DNS_NOT_FOUND:
        if (confirm_absence(search, domain))
            return FALSE;
        take_implicit(search, domain);
        return TRUE;
    case HP_DNS_DOUBTFUL:
    case HP_DNS_TEMPORARY:
    case HP_DNS_NO_RESOLVER:
    default:
        conclude_unsure(search->route, answer->status, answer->problem);
        return FALSE;
    }
}

static gboolean
is_system_address(const HpIp *ip)
{
    struct ifaddrs *list = NULL;
    gboolean found = FALSE;

    if (getifaddrs(&list) != 0)
        return FALSE;
    for (struct ifaddrs *at = list; at != NULL && !found; at = at->ifa_next) {
        char text[INET6_ADDRSTRLEN] = "";
        HpIp own;

        if (at->ifa_addr == NULL || (at->ifa_flags & IFF_LOOPBACK) != 0)
            continue;
        if (at->ifa_addr->sa_family == AF_INET)
            inet_ntop(AF_INET, &((struct sockaddr_in *)(gpointer)at->ifa_addr)->sin_addr,
                      text, sizeof(text));
        else if (at->ifa_addr->sa_family == AF_INET6)
            inet_ntop(AF_INET6,
                      &((struct sockaddr_in6 *)(gpointer)at->ifa_addr)->sin6_addr, text,
                      sizeof(text));
        found = hp_ip_parse(text, &own) && memcmp(own.octets, ip->octets, 16) == 0;
    }
    freeifaddrs(list);
    return found;
}

static gboolean
is_own_address(const HpMxOptions *options, const HpIp *ip)
{
    if (options->own_addresses == NULL)
        return is_system_address(ip);
    for (guint i = 0; options->own_addresses[i] != NULL; i++) {
        HpIp own;

        if (hp_ip_parse(options->own_addresses[i], &own) &&
            memcmp(own.octets, ip->octets, sizeof(ip->octets)) == 0)
            return TRUE;
    }
    return FALSE;
}

/* We are in the list ourselves: from here on it would lead back to us. */
static void
cut_list(Search *search, guint preference)
{
    search->own = TRUE;
    for (guint i = search->found->len; i > 0; i--) {
        const HpMxTarget *target = g_ptr_array_index(search->found, i - 1);

        if (target->preference >= preference)
            g_ptr_array_remove_index(search->found, i - 1);
    }
}

/* Takes an address into the list, unless there is a reason not to. %FALSE: it is our own,
 * the list is cut. */
static gboolean
add_address(Search *search, const Host *host, const char *address)
{
    HpMxTarget *target;
    HpIp ip;

    if (!hp_ip_parse(address, &ip))
        return TRUE;
    if (hp_ip_is_private(&ip) && !search->options->allow_private) {
        g_strlcpy(search->private, address, sizeof(search->private));
        return TRUE;
    }
    if (is_own_address(search->options, &ip)) {
        cut_list(search, host->preference);
        return FALSE;
    }
    if (!hp_link_has_route(address)) {
        search->unrouted = TRUE;
        return TRUE;
    }
    target = g_new0(HpMxTarget, 1);
    target->host = g_strdup(host->name);
    target->address = g_strdup(address);
    target->ipv6 = !ip.ipv4;
    target->preference = host->preference;
    g_ptr_array_add(search->found, target);
    return TRUE;
}

/* From harmless to what says most about the network. */
static guint
weight_of(HpDnsStatus status)
{
    switch (status) {
    case HP_DNS_NO_RESOLVER:
        return 3;
    case HP_DNS_DOUBTFUL:
        return 2;
    case HP_DNS_TEMPORARY:
        return 1;
    case HP_DNS_OK:
    case HP_DNS_NO_DATA:
    case HP_DNS_NOT_FOUND:
    default:
        return 0;
    }
}

static gboolean
add_answers(Search *search, const Host *host, HpDnsType type)
{
    g_autoptr(HpDnsAnswer) answer = ask(search, host->name, type);

    if (weight_of(answer->status) > weight_of(search->problem))
        search->problem = answer->status;
    if (answer->status == HP_DNS_OK)
        note(search->route, HP_LINK_SAW_DNS);
    for (guint i = 0; i < answer->records->len; i++) {
        const HpDnsRecord *record = g_ptr_array_index(answer->records, i);

        if (!add_address(search, host, record->text))
            return FALSE;
    }
    return TRUE;
}

/* Both families of a host. %FALSE: the list ends here. */
static gboolean
add_host_addresses(Search *search, const Host *host)
{
    HpIp ip;

    if (g_ascii_strcasecmp(host->name, search->options->hostname) == 0) {
        cut_list(search, host->preference);
        return FALSE;
    }
    /* Against the rules, but seen: an address where a name should be. */
    if (hp_ip_parse(host->name, &ip))
        return add_address(search, host, host->name);
    if (search->options->ipv6 == HP_MX_IPV6_YES)
        return add_answers(search, host, HP_DNS_AAAA) &&
               add_answers(search, host, HP_DNS_A);
    return add_answers(search, host, HP_DNS_A) &&
           (search->options->ipv6 == HP_MX_IPV6_NO ||
            add_answers(search, host, HP_DNS_AAAA));
}

static void
list_host(GString *hosts, const char *name)
{
    g_string_append_printf(hosts, "%s%s", hosts->len > 0 ? ", " : "", name);
}

static void
find_addresses(Search *search)
{
    g_autoptr(GString) hosts = g_string_new(NULL);

    for (guint i = 0; i < search->hosts->len && i < MAX_HOSTS; i++) {
        const Host *host = &g_array_index(search->hosts, Host, i);

        if (search->found->len >= HP_MX_TARGETS ||
            g_get_monotonic_time() >= search->deadline_usec)
            break;
        if (!add_host_addresses(search, host))
            break;
        list_host(hosts, host->name);
    }
    g_free(search->route->hosts);
    search->route->hosts = g_string_free(g_steal_pointer(&hosts), FALSE);
}

/* Takes those of one family that may come along, in order. */
static void
choose(Search *search, guint quota[2], int family)
{
    for (guint i = 0; i < search->found->len; i++) {
        HpMxTarget *target = g_ptr_array_index(search->found, i);

        if (target == NULL || (family >= 0 && target->ipv6 != (family == 1)) ||
            quota[target->ipv6] == 0)
            continue;
        quota[target->ipv6]--;
        search->found->pdata[i] = NULL;
        g_ptr_array_add(search->route->targets, target);
    }
}

/* How many of each family may come along: five, with some of the rarer one. */
static void
set_quota(const GPtrArray *found, guint quota[2])
{
    guint n[2] = { 0, 0 };

    for (guint i = 0; i < found->len; i++)
        n[((const HpMxTarget *)g_ptr_array_index(found, i))->ipv6]++;
    quota[1] = MIN(n[1], MAX(SPARE, HP_MX_TARGETS - MIN(n[0], HP_MX_TARGETS)));
    quota[0] = MIN(n[0], HP_MX_TARGETS - quota[1]);
}

/* At most five, some of each family; a family that was refused lately comes last. */
static void
balance(Search *search)
{
    gboolean ipv4_refused = search->memory->refused_ipv4;
    gboolean ipv6_refused = search->memory->refused_ipv6;
    guint quota[2];

    set_quota(search->found, quota);
    if (ipv4_refused != ipv6_refused)
        choose(search, quota, ipv4_refused ? 1 : 0);
    choose(search, quota, -1);
}

/* RFC 6761 §6.4: nothing exists below "invalid". A network that gives it an address would
 * have given any other domain the same one. */
gboolean
hp_mx_is_lie(HpResolver *resolver, const char *address)
{
    g_autofree char *name =
        g_strdup_printf("hp%08x%08x.invalid", g_random_int(), g_random_int());
    gboolean ipv6 = address != NULL && g_utf8_strchr(address, -1, ':') != NULL;
    g_autoptr(HpDnsAnswer) answer =
        hp_resolver_ask(resolver, name, ipv6 ? HP_DNS_AAAA : HP_DNS_A, LIE_MS);

    for (guint i = 0; i < answer->records->len; i++) {
        const HpDnsRecord *record = g_ptr_array_index(answer->records, i);

        if (address == NULL || strcmp(record->text, address) == 0)
            return TRUE;
    }
    return FALSE;
}

/* There were hosts, and not one usable address. */
static void
conclude_empty(Search *search, gboolean implicit)
{
    HpMxRoute *route = search->route;

    if (search->unrouted)
        conclude(route, HP_OUTCOME_NETWORK, 451, "4.4.1",
                 _("there is no way to the recipient's mail server from this network"));
    else if (weight_of(search->problem) > 0)
        conclude_unsure(route, search->problem, NULL);
    else if (search->private[0] != '\0' &&
             hp_mx_is_lie(search->options->resolver, NULL)) {
        note(route, hp_mx_is_lie(search->options->resolver, search->private)
                        ? HP_LINK_SAW_PORTAL
                        : HP_LINK_SAW_DNS_LIE);
        conclude(
            route, HP_OUTCOME_NETWORK, 451, "4.4.3",
            _("this network answers every question for an address with one of its own"));
    } else if (search->private[0] != '\0')
        conclude(
            route, HP_OUTCOME_REFUSED, 554, "5.4.6",
            _("the recipient's domain names a mail server at a private address, which "
              "cannot be reached over the internet"));
    else if (search->own) {
        conclude(route, HP_OUTCOME_REFUSED, 554, "5.4.6",
                 _("the mail server of the recipient's domain is this computer itself"));
        route->reply.stage = HP_STAGE_LOCAL; /* the names are all right */
    } else if (implicit)
        refuse(search, 550, "5.1.2", _("the domain %s has no mail server"));
    else
        conclude(route, HP_OUTCOME_DEFERRED, 451, "4.4.4",
                 _("the mail servers that the recipient's domain names have no address"));
}

/* "[" IPv4 / "IPv6:" IPv6 "]", RFC 5321 §4.1.3 */
static gboolean
take_literal(Search *search, const char *domain)
{
    HpCursor c = hp_cursor_over(hp_slice_of(domain));
    g_autofree char *address = NULL;
    Host host = { NULL, 0, 0 };
    HpIp ip;

    if (!hp_cursor_skip(&c, '['))
        return FALSE;
    hp_cursor_skip_word(&c, "IPv6:");
    address = hp_slice_dup(hp_cursor_take_until(&c, ']'));
    host.name = address;
    if (!hp_ip_parse(address, &ip)) {
        conclude(search->route, HP_OUTCOME_REFUSED, 550, "5.1.2",
                 _("the address of the recipient's mail server is not a valid one"));
        return TRUE;
    }
    add_address(search, &host, address);
    g_free(search->route->hosts);
    search->route->hosts = g_strdup(domain);
    if (search->found->len == 0)
        conclude_empty(search, FALSE);
    return TRUE;
}

static void
find_by_name(Search *search, const char *domain)
{
    g_autofree char *ascii = hp_address_domain_to_ascii(domain);

    if (ascii == NULL) {
        conclude(search->route, HP_OUTCOME_REFUSED, 550, "5.1.2",
                 _("the part behind the @ is not a domain name"));
        return;
    }
    if (!find_hosts(search, ascii))
        return;
    find_addresses(search);
    if (search->found->len == 0)
        conclude_empty(search, search->hosts->len == 1 &&
                                   g_ascii_strcasecmp(search->route->hosts, ascii) == 0);
}

HpMxRoute *
hp_mx_find(const HpMxOptions *options, const char *domain, const HpRouteMemory *memory)
{
    g_autoptr(HpMxRoute) route = g_new0(HpMxRoute, 1);
    g_autoptr(GArray) hosts = g_array_new(FALSE, FALSE, sizeof(Host));
    g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(target_free);
    Search search = { .options = options, .memory = memory, .route = route };

    g_array_set_clear_func(hosts, host_clear);
    search.deadline_usec = g_get_monotonic_time() + TOTAL_MS * G_TIME_SPAN_MILLISECOND;
    search.domain = domain;
    search.hosts = hosts;
    search.found = found;
    search.problem = HP_DNS_OK;
    route->outcome = HP_OUTCOME_UNTRIED;
    route->hosts = g_strdup("");
    route->targets = g_ptr_array_new_with_free_func(target_free);
    if (!take_literal(&search, domain))
        find_by_name(&search, domain);
    if (found->len > 0)
        balance(&search);
    return g_steal_pointer(&route);
}

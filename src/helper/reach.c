#include "helper/reach.h"

#include "common/landlock.h"

#include <curl/curl.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DNS_PORT        53
#define BARE_PROXY_PORT 1080 /* libcurl's, CURLOPT_PROXYPORT(3) */

/*
 * What libcurl, OpenSSL and the name services of the C library may come to read while a login goes on: seen with
 * strace, and read in the profiles that AppArmor ships for them (abstractions nameservice, openssl, ssl_certs, base).
 * Whole trees, since a file more that can be read is a smaller evil than a login that fails where a distribution has it
 * elsewhere; the modes of the files count in any case. What is not here is what matters: the homes, /root, /tmp, /srv,
 * /mnt, /boot, other processes in /proc, the devices, and nearly all of /run and /var.
 */
static const char *const trees[] = {
    /* resolv.conf, hosts, nsswitch.conf, gai.conf, certificates, crypto policies, the time zone */
    "/etc",
    /* name services and providers that are loaded late; certificates, time zones, character sets */
    "/usr",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/opt",
    "/nix/store",
    "/gnu/store",
    /* certificates of SUSE; the databases of nss_db, sssd and NIS */
    "/var/lib/ca-certificates",
    "/var/lib/misc",
    "/var/db",
    "/var/lib/sss",
    "/var/yp",
    /* systemd's name services. Sockets need no leave: nscd, sssd, avahi, winbind */
    "/run/systemd/resolve",
    "/run/systemd/machines",
    /* random numbers, where there is no getrandom(2) */
    "/dev/urandom",
    "/dev/random",
    /* how many processors there are; whether the host is in FIPS mode; this process */
    "/sys/devices/system",
    "/proc/sys",
    "/proc/self",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/proc/stat",
};

/* Often links to another tree, and replaced there by renaming: so to the whole folder of what they point to. */
static const char *const links[] = {"/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf"};

/* Where the links of a distribution's hashed folder end: in its own files, which are no links any more. */
static const char *const distributions[] = {"/usr/share/ca-certificates/", "../../ca-certificates/extracted/"};

static bool leave_trees(const struct landlock *layer)
{
    for (size_t i = 0; i < sizeof trees / sizeof *trees; i++)
        if (!landlock_leave_path(layer, trees[i]))
            return false;
    return true;
}

static bool leave_links(const struct landlock *layer)
{
    char target[PATH_MAX];

    for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
        char *name;

        if (realpath(links[i], target) == NULL || strcmp(target, links[i]) == 0)
            continue;
        name = strrchr(target, '/');
        /* Not the whole root folder. */
        if (name != target)
            *name = '\0';
        if (!landlock_leave_path(layer, target))
            return false;
    }
    return true;
}

/* Does this link lead out of its folder, and elsewhere than all of a distribution's? */
static bool leads_away(int folder, const char *name)
{
    char target[PATH_MAX];
    ssize_t length = readlinkat(folder, name, target, sizeof target - 1);

    if (length <= 0)
        return false;
    target[length] = '\0';
    for (size_t i = 0; i < sizeof distributions / sizeof *distributions; i++)
        if (strncmp(target, distributions[i], strlen(distributions[i])) == 0)
            return false;
    return strchr(target, '/') != NULL;
}

static bool leave_entry(const struct landlock *layer, int folder, const char *name)
{
    bool left;
    int fd = openat(folder, name, O_PATH | O_CLOEXEC);

    if (fd < 0)
        return errno != EMFILE && errno != ENFILE && errno != ENOMEM;
    left = landlock_leave_file(layer, fd);
    close(fd);
    return left;
}

/* A folder of certificates, and what its links lead to: an administrator's own may lie anywhere. */
static bool leave_certificates(const struct landlock *layer, const char *path)
{
    DIR *folder = opendir(path);
    struct dirent *entry;
    bool left;

    if (folder == NULL)
        return landlock_leave_path(layer, path);
    left = landlock_leave_file(layer, dirfd(folder));
    while (left && (entry = readdir(folder)) != NULL)
        if ((entry->d_type == DT_LNK || entry->d_type == DT_UNKNOWN) && leads_away(dirfd(folder), entry->d_name))
            left = leave_entry(layer, dirfd(folder), entry->d_name);
    closedir(folder);
    return left;
}

static bool leave_trust(const struct landlock *layer, const struct start_message *start)
{
    if (*start->ca_file != '\0' && !landlock_leave_path(layer, start->ca_file))
        return false;
    if (*start->ca_path != '\0')
        return leave_certificates(layer, start->ca_path);
    return *start->ca_file != '\0' || leave_certificates(layer, DEFAULT_CA_PATH);
}

/* The port of the URL as libcurl understands it, or 0. */
static uint16_t port_of(const char *url, long otherwise)
{
    CURLU *parsed = curl_url();
    char *port = NULL;
    long number = 0;

    if (parsed != NULL && curl_url_set(parsed, CURLUPART_URL, url, 0) == CURLUE_OK) {
        number = otherwise;
        if (curl_url_get(parsed, CURLUPART_PORT, &port, otherwise == 0 ? CURLU_DEFAULT_PORT : 0) == CURLUE_OK)
            number = strtol(port, NULL, 10);
    }
    curl_free(port);
    curl_url_cleanup(parsed);
    return (uint16_t)number;
}

/* Of an https proxy without a port it is the scheme's, of an http one libcurl's own. */
static uint16_t proxy_port(const char *url)
{
    return port_of(url, strncmp(url, "https:", 6) == 0 ? 0 : BARE_PROXY_PORT);
}

/* An URL that libcurl does not understand is refused by itself later, with its reason. */
static bool leave_port(const struct landlock *layer, uint16_t port)
{
    return port == 0 || landlock_leave_port(layer, port);
}

/* Of the endpoint, the keys and the proxy, and of name servers, who are asked again by TCP when an answer is long. Not
 * the others: on a host of Amazon's, port 80 has the credentials of the machine. */
static bool leave_ports(const struct landlock *layer, const struct start_message *start)
{
    if (*start->proxy != '\0')
        return leave_port(layer, proxy_port(start->proxy)) && landlock_leave_port(layer, DNS_PORT);
    return leave_port(layer, port_of(start->endpoint, 0)) && leave_port(layer, port_of(start->jwks_url, 0)) &&
           landlock_leave_port(layer, DNS_PORT);
}

bool reach_only(const struct start_message *start, struct result *result)
{
    struct landlock layer;
    bool complete;

    /* Then there is no need to look what is to be left. */
    if (landlock_version() == 0)
        return true;
    if (!landlock_begin(&layer, LANDLOCK_READ | LANDLOCK_CONNECT))
        return result_fail(result, ERR_HELPER, "landlock_create_ruleset: %s", strerror(errno));
    complete = leave_trees(&layer) && leave_links(&layer) && leave_trust(&layer, start) && leave_ports(&layer, start);
    return landlock_enforce(&layer, complete) || result_fail(result, ERR_HELPER, "landlock: %s", strerror(errno));
}

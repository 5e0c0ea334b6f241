"""The line between the laptop and the world, and what the ISP does to it (nftables)."""
import subprocess

PORTAL = "198.51.100.80"
BROKEN_DNS_PORT = 5300
INTERCEPT_PORT = 2525
PORTAL_PORT = 8080
OUTSIDE = "198.51.100.77"       # what the world sees instead of the laptop's address


class Line:
    """State of the line; every change rewrites the whole rule set at once."""

    def __init__(self, isp, laptop):
        self.isp, self.laptop = isp, laptop
        self.port25, self.dns, self.silent, self.captive = "open", "ok", False, False
        self.apply()

    def apply(self):
        forward, redirect = [], []
        if self.silent:
            forward.append("drop")
        # Everything is redirected to the portal, which thereby answers in its name.
        if self.captive:
            redirect.append("meta l4proto tcp tcp dport != 53 redirect to "
                            f":{PORTAL_PORT}")
        if self.port25 == "drop":
            forward.append("tcp dport 25 drop")
        elif self.port25 == "refuse":
            forward.append("tcp dport 25 reject with tcp reset")
        elif self.port25 == "unreachable":
            forward.append("tcp dport 25 reject with icmpx admin-prohibited")
        elif self.port25 == "intercept":
            redirect.append(f"tcp dport 25 redirect to :{INTERCEPT_PORT}")
        incoming = []
        if self.dns == "drop" or self.silent:
            incoming.append("meta l4proto { tcp, udp } th dport 53 drop")
        elif self.dns != "ok":
            redirect += [f"{p} dport 53 redirect to :{BROKEN_DNS_PORT}" for p in
                         ("udp", "tcp")]

        def rules(lines, interface):
            return "\n".join(f'    iifname "{interface}" {line}' for line in lines)
        rule_set = f"""flush ruleset
table inet line {{
  chain before {{
    type nat hook prerouting priority dstnat
{rules(redirect, "lan")}
  }}
  chain after {{
    type nat hook postrouting priority srcnat
    oifname "wan" ip saddr 192.168.77.0/24 snat ip to {OUTSIDE}
  }}
  chain through {{
    type filter hook forward priority filter
{rules(forward, "lan")}
  }}
  chain in {{
    type filter hook input priority filter
{rules(incoming, "lan")}
  }}
}}
"""
        done = self.isp.run("nft", "-f", "-", input=rule_set, check=False)
        if done.returncode != 0:
            raise RuntimeError("nft: " + done.stderr + rule_set)
        # Known connections would go on as before.
        self.isp.run("conntrack", "-F", check=False)

    def cut(self, how="link"):
        """link: the interface goes down, its routes go; cable: no carrier, the routes stay;
        route: no default route, as without a gateway; silent: packets vanish."""
        if how == "silent":
            self.silent = True
            self.apply()
        elif how == "cable":
            self.isp.run("ip", "link", "set", "lan", "down")
        elif how == "route":
            self.laptop.run("ip", "-4", "route", "del", "default", check=False)
            self.laptop.run("ip", "-6", "route", "del", "default", check=False)
        else:
            self.laptop.run("ip", "link", "set", "eth0", "down")

    def restore(self):
        self.silent = False
        self.apply()
        self.isp.run("ip", "link", "set", "lan", "up")
        self.isp.run("ip", "-6", "addr", "replace", "2001:db8:77::1/64", "dev", "lan",
                     "nodad", check=False)
        self.isp.run("ip", "-6", "addr", "replace", "fe80::1/64", "dev", "lan", "nodad",
                     check=False)
        configure_laptop(self.laptop)


def configure_laptop(laptop):
    """Addresses and routes, as from DHCP and router advertisements."""
    script = """ip link set eth0 up
ip -6 addr replace 2001:db8:77::2/64 dev eth0 nodad
ip addr replace 192.168.77.2/24 dev eth0
ip route replace default via 192.168.77.1
ip -6 route replace default via fe80::1 dev eth0
"""
    done = laptop.run("sh", "-e", "-c", script, check=False)
    if done.returncode != 0:
        raise subprocess.CalledProcessError(done.returncode, "ip", done.stdout, done.stderr)

"""Drives a real Thunderbird against a mail server under test.

    profile = Profile(directory)
    account = profile.add_imap("Ann", "ann@example.org", incoming, outgoing)
    with Thunderbird(profile) as thunderbird:
        thunderbird.store_passwords()
        thunderbird.get_messages(account)

Thunderbird runs without a screen unless a display is given, and talks to
nothing but the servers it is told of. Needs Thunderbird 140 or newer.
"""
import dataclasses
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import time

from marionette import Marionette, MarionetteError

PLAIN, STARTTLS, TLS = 0, 2, 3  # how a connection is secured
CLEARTEXT_PASSWORD, ENCRYPTED_PASSWORD = 3, 4  # how the client logs in

# Keeps the windows of a first start away, and the network quiet: all web
# traffic that is not for this computer goes to a proxy that does not exist.
BASE_PREFERENCES = {
    "network.proxy.type": 1,
    "network.proxy.http": "127.0.0.1",
    "network.proxy.http_port": 9,
    "network.proxy.ssl": "127.0.0.1",
    "network.proxy.ssl_port": 9,
    "network.proxy.failover_direct": False,
    "network.proxy.no_proxies_on": "localhost, 127.0.0.1, [::1]",
    "network.connectivity-service.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.dns.disablePrefetch": True,
    "network.manage-offline-status": False,
    "offline.autoDetect": False,
    "offline.startup_state": 2,
    "app.update.enabled": False,
    "app.update.auto": False,
    "app.normandy.enabled": False,
    "browser.region.network.url": "",
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.healthreport.uploadEnabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "datareporting.policy.dataSubmissionPolicyBypassNotification": True,
    "toolkit.telemetry.enabled": False,
    "toolkit.telemetry.unified": False,
    "toolkit.telemetry.server": "",
    "services.settings.server": "",
    "extensions.update.enabled": False,
    "extensions.getAddons.cache.enabled": False,
    "extensions.systemAddon.update.enabled": False,
    "app.donation.eoy.version.viewed": 999,
    "mail.inappnotifications.enabled": False,
    "mail.rights.version": 1,
    "mail.shell.checkDefaultClient": False,
    "mail.spotlight.firstRunDone": True,
    "mail.provider.enabled": False,
    "mail.provider.suppress_dialog_on_startup": True,
    "mail.chat.enabled": False,
    "mail.ui.show.tips": False,
    "mailnews.start_page.enabled": False,
    "mailnews.start_page_override.mstone": "ignore",
    "mailnews.auto_config_url": "",
    "mailnews.mx_service_url": "",
    "mailnews.auto_config.fetchFromISP.enabled": False,
    "mail.warn_on_send_accel_key": False,
    "mail.suppressAlertsForShutdown": True,
    "mail.compose.attachment_reminder": False,
    "mail.identity.default.autocompleteToMyDomain": False,
    "mail.biff.play_sound": False,
    "calendar.timezone.local": "UTC",
    "calendar.timezone.useSystemTimezone": False,
}


@dataclasses.dataclass
class Server:
    """Where a server listens and how to log in there."""
    host: str
    port: int
    user: str
    password: str
    security: int = PLAIN
    login: int = CLEARTEXT_PASSWORD


class Profile:
    """A profile directory with accounts, written before Thunderbird starts."""

    def __init__(self, directory, preferences=None):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.preferences = {**BASE_PREFERENCES, **(preferences or {})}
        self.passwords = []
        self._accounts = []
        self._add_local_folders()

    def add_imap(self, name, address, incoming, outgoing, **settings):
        """Adds an IMAP account and returns its key.

        Further settings are those of the server, such as
        check_new_mail=True or delete_model=0.
        """
        return self._add_account("imap", name, address, incoming, outgoing, {
            "max_cached_connections": 5, "using_subscription": True, **settings})

    def add_pop3(self, name, address, incoming, outgoing, **settings):
        """Adds a POP3 account and returns its key.

        Settings of note are leave_on_server, delete_by_age_from_server,
        num_days_to_leave_on_server and delete_mail_left_on_server.
        """
        return self._add_account("pop3", name, address, incoming, outgoing, {
            "deferred_to_account": "", **settings})

    def _add_local_folders(self):
        self._set("mail.server.serverlocal", {
            "type": "none", "userName": "nobody", "hostname": "Local Folders", "name": "Local Folders"})
        self.preferences["mail.account.accountlocal.server"] = "serverlocal"
        self.preferences["mail.accountmanager.localfoldersserver"] = "serverlocal"

    def _add_account(self, kind, name, address, incoming, outgoing, settings):
        number = len(self._accounts) + 1
        account = f"account{number}"
        self._accounts.append(account)
        self._set(f"mail.server.server{number}", {
            "type": kind, "hostname": incoming.host, "port": incoming.port, "userName": incoming.user,
            "socketType": incoming.security, "authMethod": incoming.login, "name": address,
            "login_at_startup": False, "check_new_mail": False, **settings})
        self._set(f"mail.smtpserver.smtp{number}", {
            "hostname": outgoing.host, "port": outgoing.port, "username": outgoing.user,
            "try_ssl": outgoing.security, "authMethod": outgoing.login})
        self._set(f"mail.identity.id{number}", {
            "fullName": name, "useremail": address, "smtpServer": f"smtp{number}", "valid": True,
            "compose_html": False})
        self.preferences[f"mail.account.{account}.server"] = f"server{number}"
        self.preferences[f"mail.account.{account}.identities"] = f"id{number}"
        self.preferences["mail.accountmanager.accounts"] = ",".join([*self._accounts, "accountlocal"])
        self.preferences["mail.accountmanager.defaultaccount"] = self._accounts[0]
        self.preferences["mail.smtpservers"] = ",".join(f"smtp{i + 1}" for i in range(number))
        self.preferences["mail.smtp.defaultserver"] = "smtp1"
        scheme = {"imap": "imap", "pop3": "mailbox"}[kind]
        self.passwords.append((scheme, incoming))
        self.passwords.append(("smtp", outgoing))
        return account

    def _set(self, branch, values):
        self.preferences.update({f"{branch}.{name}": value for name, value in values.items()})

    def write(self):
        """Writes the preferences into the profile."""
        lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});\n"
                 for name, value in sorted(self.preferences.items())]
        (self.directory / "user.js").write_text("".join(lines))


def free_port():
    """Returns a TCP port of the loopback interface that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Thunderbird:
    """A running Thunderbird. The functions of mail.js are called through it."""

    def __init__(self, profile, display=None, program=("thunderbird",), log_modules=None,
                 environment=None, connect=socket.create_connection):
        """Starts Thunderbird, on an X display such as ":99" or headless.

        program is the beginning of its command line and connect how to reach
        it, if it runs in a network namespace.

        log_modules, such as "IMAP:5,SMTP:5,POP3:5", makes it write the file
        moz.log.moz_log in the profile directory.
        """
        profile.preferences["marionette.port"] = port = free_port()
        profile.write()
        self.profile = profile
        self._source = pathlib.Path(__file__).with_name("mail.js").read_text()
        environment = {"DBUS_SESSION_BUS_ADDRESS": "disabled:", **(environment or os.environ), "MOZ_CRASHREPORTER_DISABLE": "1"}
        arguments = [*program, "-no-remote", "-profile", str(profile.directory),
                     "-marionette", "-remote-allow-system-access"]
        if display:
            environment["DISPLAY"] = display
        else:
            arguments.append("-headless")
        if log_modules:
            environment["MOZ_LOG"] = log_modules + ",timestamp"
            environment["MOZ_LOG_FILE"] = str(profile.directory / "moz.log")
        with open(profile.directory / "output.log", "ab") as output:
            self.process = subprocess.Popen(
                arguments, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                start_new_session=True)
        try:
            self.marionette = Marionette(port, connect=connect)
            self.wait(lambda: self.marionette.script(
                "return Services.wm.getMostRecentWindow('mail:3pane')?.document.readyState == 'complete'"
                " && !!Services.wm.getMostRecentWindow('mail:3pane').document.getElementById('tabmail')"
                "?.currentAbout3Pane?.threadPane"), "the main window")
            self.call("answerDialogs")
        except BaseException:
            self.kill()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.quit()

    def quit(self):
        """Ends Thunderbird in an orderly way, or by force if that fails."""
        try:
            self.marionette.command("Marionette:Quit", {"flags": ["eForceQuit"]}, 30)
            self.process.wait(30)
        except (MarionetteError, OSError, subprocess.TimeoutExpired):
            self.kill()
        self.marionette.close()

    def kill(self):
        """Ends Thunderbird's process group at once, as a crash would."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def wait(self, condition, what, seconds=60):
        """Waits until condition() is true and returns its value."""
        end = time.monotonic() + seconds
        while not (value := condition()):
            if time.monotonic() > end:
                raise TimeoutError(f"timed out waiting for {what}")
            time.sleep(0.1)
        return value

    def call(self, name, *args, timeout=60):
        """Calls a function of mail.js, once no dialog is open any more."""
        source = f"{self._source}\nreturn await mail.{name}(...arguments);"
        end = time.monotonic() + timeout
        while True:
            try:
                return self.marionette.script(source, *args, timeout=timeout)
            except MarionetteError as error:
                if error.kind != "unexpected alert open" or time.monotonic() > end:
                    raise
                time.sleep(0.1)

    def __getattr__(self, name):
        """Gives each function of mail.js as a method: show_message for showMessage."""
        if name.startswith("_"):
            raise AttributeError(name)
        camel = re.sub("_([a-z])", lambda match: match[1].upper(), name)
        return lambda *args, **keywords: self.call(camel, *args, **keywords)

    def store_passwords(self):
        """Stores the passwords of the profile's accounts."""
        for scheme, server in self.profile.passwords:
            self.call("storePassword", scheme, server.host, server.user, server.password)

    def folder(self, account, flag_or_name):
        """Returns the URI of an account's folder, such as "Inbox" or "SentMail"."""
        for folder in self.call("folders"):
            if folder["account"] == account and (flag_or_name in folder["flags"] or folder["name"] == flag_or_name):
                return folder["uri"]
        raise LookupError(f"{account} has no folder {flag_or_name}")

    def find(self, uri, subject):
        """Returns the first message of a folder with that subject, or None."""
        return next((message for message in self.call("messages", uri) if message["subject"] == subject), None)

    def wait_for(self, uri, subject, condition=bool, seconds=60):
        """Waits until a folder has a message for which the condition is true.

        Meanwhile it lets Thunderbird synchronise the folder again and again.
        The condition gets the message or None; the message is returned.
        """
        updated = 0

        def check():
            nonlocal updated
            found = self.find(uri, subject)
            if condition(found):
                return [found]
            if time.monotonic() > updated + 2:
                self.call("updateFolder", uri)
                updated = time.monotonic()
            return None
        return self.wait(check, f"“{subject}” in {uri}", seconds)[0]

    def wait_until_gone(self, uri, subject, seconds=60):
        """Waits until a folder has no message with that subject."""
        self.wait_for(uri, subject, lambda message: message is None, seconds)

    def send(self, later=False, seconds=60):
        """Sends what is in the newest compose window.

        Returns None once that window has closed, or the text of the dialog
        with which Thunderbird tells the user that it could not send.
        """
        windows = self.call("composeWindows")
        self.call("takeDialogs")
        self.call("pressSend", later)
        texts = []

        def check():
            texts.extend(self.call("takeDialogs"))
            return texts or self.call("composeWindows") < windows
        self.wait(check, "the mail to be sent", seconds)
        return texts[0] if texts else None

    def screenshot(self, path, window_type="mail:3pane"):
        """Writes a PNG picture of a window: the main one or a "msgcompose"."""
        main = self.marionette.command("WebDriver:GetWindowHandle")["value"]
        try:
            for handle in self.marionette.command("WebDriver:GetWindowHandles"):
                self.marionette.command("WebDriver:SwitchToWindow", {"handle": handle})
                if self.marionette.command("Marionette:GetWindowType")["value"] == window_type:
                    self.marionette.screenshot(path)
                    break
        finally:
            self.marionette.command("WebDriver:SwitchToWindow", {"handle": main})

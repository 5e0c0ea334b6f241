/* hp-daemon: joins the parts, runs the main loop, takes the parts apart again.
 *
 * Threads: main.
 */
#pragma once

/* Each returns the exit status of hauspostd(8); faults are said on standard error. */
int hp_daemon_check(void);  /* are the settings good? */
int hp_daemon_init(void);   /* folders, certificate, databases */
int hp_daemon_repair(void); /* mail.db anew, if it is damaged */
int hp_daemon_run(void);    /* the mail server, until a signal ends it */

/*
 * What the user reads, in the language of the host.
 */
#ifndef PAM_COGNITO_SAY_H
#define PAM_COGNITO_SAY_H

/* Marks a text for the translators where it is written; say() is called where it meets the user. */
#define N_(text) text

/* The text in the language of the host's locale, in its charset; the text itself where there is no translation that can
 * be shown. A translation has as many "%s" as the text, for text_fill(), and never is a format of printf(3). NULL for
 * NULL. Never freed: it stays for as long as the process. */
const char *say(const char *text);

#endif

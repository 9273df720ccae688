"""The ground on which the login tests run: a private view of the machine, and logins in it."""

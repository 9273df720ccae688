/*
 * UNDER_SANITIZER: built with a sanitizer that has an allocator of its own and maps terabytes of shadow memory. What
 * cannot live beside that is left out of such a build, which is for tests alone.
 */
#ifndef PAM_COGNITO_SANITIZER_H
#define PAM_COGNITO_SANITIZER_H

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define UNDER_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) || __has_feature(thread_sanitizer)
#define UNDER_SANITIZER 1
#endif
#endif

#ifndef UNDER_SANITIZER
#define UNDER_SANITIZER 0
#endif

#endif

/*
 * What may run short at any time: memory, and what json-c and libcrypto make of it. The calls of src/ go through here,
 * by another name that scripts/fuzz gives them; those of the targets do not.
 */
#ifndef PAM_COGNITO_FUZZ_MEMORY_H
#define PAM_COGNITO_FUZZ_MEMORY_H

/* The nth call from now on fails, and no other; 0: none does. */
void fake_memory(long nth);

/* While the sum of these is not 0, nothing fails and nothing counts: for fakes that use functions of src/. */
void fake_memory_hold(int more);

#endif

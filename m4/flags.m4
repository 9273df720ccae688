# PC_CFLAGS(VARIABLE, FLAGS): substitutes VARIABLE by those of FLAGS that the compiler takes.
# -Werror, because clang merely warns of options that it does not know. A -Wno-x is tried as -Wx: compilers take
# every -Wno-x without a word.
AC_DEFUN([PC_CFLAGS], [
  $1=
  for pc_flag in m4_normalize([$2]); do
    AC_MSG_CHECKING([whether $CC takes $pc_flag])
    pc_saved=$CFLAGS
    CFLAGS="$CFLAGS -Werror `AS_ECHO(["$pc_flag"]) | sed 's/^-Wno-/-W/'`"
    AC_COMPILE_IFELSE([AC_LANG_SOURCE([[int main(void) { return 0; }]])],
      [AC_MSG_RESULT([yes])
       $1="$$1 $pc_flag"],
      [AC_MSG_RESULT([no])])
    CFLAGS=$pc_saved
  done
  AC_SUBST([$1])
])

# PC_LDFLAGS(VARIABLE, FLAGS): the same for the linker.
AC_DEFUN([PC_LDFLAGS], [
  $1=
  for pc_flag in m4_normalize([$2]); do
    AC_MSG_CHECKING([whether the linker takes $pc_flag])
    pc_saved=$LDFLAGS
    LDFLAGS="$LDFLAGS $pc_flag"
    AC_LINK_IFELSE([AC_LANG_SOURCE([[int main(void) { return 0; }]])],
      [AC_MSG_RESULT([yes])
       $1="$$1 $pc_flag"],
      [AC_MSG_RESULT([no])])
    LDFLAGS=$pc_saved
  done
  AC_SUBST([$1])
])

# PC_REQUIRE(PREFIX, MODULE, DEBIAN PACKAGE, FEDORA PACKAGE): PKG_CHECK_MODULES, with an error that says what to install.
AC_DEFUN([PC_REQUIRE], [
  PKG_CHECK_MODULES([$1], [$2], [],
    [AC_MSG_ERROR([$2 is needed: $3 on Debian and Ubuntu, $4 on Fedora])])
])

extern int lib_empty; int lib_empty;

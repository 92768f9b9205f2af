/* Debian's libxml2 includes the headers of the system's ICU for the sake of one structure that is not used here, and they contradict those that
   Foundation brings along. */
#include <libxml/xmlversion.h>
#undef LIBXML_ICU_ENABLED
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <libxml/xmlerror.h>

/* A macro that stands for a call, in libxml2 since 2.12 a global variable. */
static inline const char *cxml2_version(void) { return xmlParserVersion; }

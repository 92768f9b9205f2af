/* Debian's libxml2 includes the headers of the system's ICU because of one structure that is not used
   here. They contradict the ICU headers that Foundation brings along. */
#include <libxml/xmlversion.h>
#undef LIBXML_ICU_ENABLED
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <libxml/xmlerror.h>

/* xmlParserVersion is a macro for a function call, and since libxml2 2.12 a global variable. */
static inline const char *cxml2_version(void) { return xmlParserVersion; }

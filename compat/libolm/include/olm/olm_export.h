/* How the functions of this library are exported. Included by every other header. */
#ifndef OLM_EXPORT_H
#define OLM_EXPORT_H

/* Define OLM_STATIC_DEFINE when linking libolm.a. OLM_EXPORT may also be given on the command line,
 * for example empty, for tools that read the declarations and do not know attributes. */
#ifndef OLM_EXPORT
#  if defined(OLM_STATIC_DEFINE)
#    define OLM_EXPORT
#  elif defined(_WIN32)
#    define OLM_EXPORT __declspec(dllimport)
#  elif defined(__GNUC__)
#    define OLM_EXPORT __attribute__((visibility("default")))
#  else
#    define OLM_EXPORT
#  endif
#endif

#endif /* OLM_EXPORT_H */

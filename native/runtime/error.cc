#include "runtime/error.h"

namespace crossmap {

const char* codeName(ErrorCode code) {
  switch (code) {
    case ErrorCode::argument:
      return "ERR_ARGUMENT";
    case ErrorCode::shape:
      return "ERR_SHAPE";
    case ErrorCode::dtype:
      return "ERR_DTYPE";
    case ErrorCode::device:
      return "ERR_DEVICE";
    case ErrorCode::disposed:
      return "ERR_DISPOSED";
    case ErrorCode::outOfMemory:
      return "ERR_OUT_OF_MEMORY";
    case ErrorCode::index:
      return "ERR_INDEX";
    case ErrorCode::io:
      return "ERR_IO";
    case ErrorCode::internal:
      return "ERR_INTERNAL";
  }
  return "ERR_INTERNAL";
}

}  // namespace crossmap

#include "runtime/shape.h"

#include "runtime/error.h"

namespace crossmap {

namespace {

constexpr int64_t kMostElements = int64_t{1} << 53;  // what a JavaScript number counts exactly

}  // namespace

int64_t Shape::elements() const {
  int64_t product = 1;
  bool empty = false;
  for (const int64_t size : sizes_) {
    if (size < 0) throw Error(ErrorCode::shape, "a shape has no negative sizes; got " + text());
    if (size == 0) empty = true;
    if (!empty && product > kMostElements / size)
      throw Error(ErrorCode::shape, "a shape has at most 2^53 elements; got " + text());
    if (!empty) product *= size;
  }
  return empty ? 0 : product;
}

std::string Shape::text() const {
  std::string text = "[";
  for (size_t axis = 0; axis < sizes_.size(); axis++) {
    if (axis > 0) text += ", ";
    text += std::to_string(sizes_[axis]);
  }
  return text + "]";
}

}  // namespace crossmap

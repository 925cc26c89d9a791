#include "runtime/tensor.h"

namespace crossmap {

Storage::Storage(Device device, int64_t bytes)
    : device_(std::move(device)), bytes_(bytes), memory_(device_.backend().allocate(bytes)) {}

Storage::Storage(Device device, const void* from, int64_t bytes)
    : device_(std::move(device)), bytes_(bytes), memory_(device_.backend().upload(from, bytes)) {}

Storage::Storage(Device device, void* memory, int64_t bytes, std::function<void()> release)
    : device_(std::move(device)), bytes_(bytes), memory_(memory), release_(std::move(release)) {}

Storage::~Storage() {
  if (release_)
    device_.backend().onceExecuted(std::move(release_));
  else
    device_.backend().release(memory_);
}

Tensor::Tensor(std::shared_ptr<Storage> storage, int64_t offset, Shape shape, DType dtype)
    : storage_(std::move(storage)),
      offset_(offset),
      shape_(std::move(shape)),
      elements_(shape_.elements()),
      dtype_(dtype) {
  if (offset_ < 0 || offset_ + bytes() > storage_->bytes())
    throw Error(ErrorCode::internal, "a view of " + shape_.text() + " exceeds its storage");
}

Tensor Tensor::view(Shape shape, int64_t offset) const {
  const int64_t elements = shape.elements();
  if (offset < 0 || offset > elements_ || elements > elements_ - offset)
    throw Error(ErrorCode::shape, "view: " + shape.text() + " from element " + std::to_string(offset) +
                                      " on must lie in " + shape_.text());
  return {storage_, offset_ + offset * sizeOf(dtype_), std::move(shape), dtype_};
}

Tensor empty(const Shape& shape, DType dtype, const Device& device) {
  const int64_t bytes = shape.elements() * sizeOf(dtype);
  return {std::make_shared<Storage>(device, bytes), 0, shape, dtype};
}

Tensor uploaded(const void* from, const Shape& shape, DType dtype, const Device& device) {
  const int64_t bytes = shape.elements() * sizeOf(dtype);
  return {std::make_shared<Storage>(device, from, bytes), 0, shape, dtype};
}

}  // namespace crossmap

#pragma once
#include <functional>
#include <memory>

#include "runtime/device.h"
#include "runtime/dtype.h"
#include "runtime/shape.h"

namespace crossmap {

// Memory of a device, given back when the last tensor on it goes.
class Storage {
 public:
  Storage(Device device, int64_t bytes);
  // With a copy of `from`, which may change at once.
  Storage(Device device, const void* from, int64_t bytes);
  // Memory that somebody else owns; `release` is called once no op can use it any more, on any thread.
  Storage(Device device, void* memory, int64_t bytes, std::function<void()> release);
  ~Storage();
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;

  const Device& device() const { return device_; }
  void* memory() const { return memory_; }
  int64_t bytes() const { return bytes_; }

 private:
  Device device_;
  int64_t bytes_;
  void* memory_;
  std::function<void()> release_;
};

// A contiguous, row-major array on a device. A value: copies share the storage.
class Tensor {
 public:
  // A view of `storage` from `offset` bytes on.
  Tensor(std::shared_ptr<Storage> storage, int64_t offset, Shape shape, DType dtype);

  const Shape& shape() const { return shape_; }
  int rank() const { return shape_.rank(); }
  int64_t size(int axis) const { return shape_[axis]; }
  int64_t elements() const { return elements_; }
  int64_t bytes() const { return elements_ * sizeOf(dtype_); }
  DType dtype() const { return dtype_; }
  const Device& device() const { return storage_->device(); }
  int64_t offset() const { return offset_; }
  const std::shared_ptr<Storage>& storage() const { return storage_; }

  void* raw() const { return static_cast<char*>(storage_->memory()) + offset_; }

  // The elements; E must be the dtype's. Alignment is only that of E.
  template <typename E>
  E* data() const {
    if (dtypeOf<E>() != dtype_)
      throw Error(ErrorCode::internal, "a tensor of " + std::string(nameOf(dtype_)) + " was read as " +
                                           std::string(nameOf(dtypeOf<E>())));
    return static_cast<E*>(raw());
  }

  // The same elements, or a range of them, in another shape; `offset` counts elements from the first of this.
  Tensor view(Shape shape, int64_t offset = 0) const;

 private:
  std::shared_ptr<Storage> storage_;
  int64_t offset_;
  Shape shape_;
  int64_t elements_;
  DType dtype_;
};

// A tensor with arbitrary contents. Throws ERR_SHAPE, ERR_OUT_OF_MEMORY.
Tensor empty(const Shape& shape, DType dtype, const Device& device);

// A tensor with a copy of the elements at `from`, which may change at once. Throws as `empty`.
Tensor uploaded(const void* from, const Shape& shape, DType dtype, const Device& device);

}  // namespace crossmap

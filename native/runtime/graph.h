#pragma once
namespace crossmap {

// Ops that a device has recorded, to be executed again as a whole.
class Graph {
 public:
  virtual ~Graph() = default;
  // Enqueues the ops. They read what stands in the memory of their inputs now, and write to the same outputs.
  virtual void replay() = 0;
};

}  // namespace crossmap

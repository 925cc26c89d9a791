// Drives runtime/caching-allocator over memory that is only numbers: reads one command a line, prints one line
// for each. Addresses come from a counter, so what is printed is the same each time.
//   policy ALIGNMENT SMALL SLAB WASTED CAPACITY CAN_SETTLE      first of all
//   allocate NAME BYTES [POOL [DONE]]    prints the address, or the error
//   release NAME [TICKET]
//   trim                                 gives cached memory back
//   reserve NAME / close NAME            a reserved pool under a name
//   use                                  prints allocated, cached, peak, taken from the source
#include <iostream>
#include <memory>
#include <sstream>

#include "runtime/caching-allocator.h"

namespace {

using crossmap::CachingAllocator;

class Numbers : public crossmap::MemorySource {
 public:
  Numbers(int64_t capacity, bool canSettle) : capacity_(capacity), canSettle_(canSettle) {}

  void* take(int64_t bytes) override {
    if (taken_ + bytes > capacity_) return nullptr;
    taken_ += bytes;
    const int64_t address = next_;
    next_ += (bytes + 4095) / 4096 * 4096;
    blocks_[address] = bytes;
    return reinterpret_cast<void*>(address);
  }
  void give(void* memory) override {
    const auto node = blocks_.extract(reinterpret_cast<int64_t>(memory));
    if (node.empty()) throw std::runtime_error("memory was given back that was not taken");
    taken_ -= node.mapped();
  }
  bool settle() override { return canSettle_; }
  std::string room() const override { return "; " + std::to_string(capacity_ - taken_) + " are free"; }
  int64_t taken() const { return taken_; }

 private:
  int64_t capacity_;
  bool canSettle_;
  int64_t taken_ = 0;
  int64_t next_ = 4096;
  std::map<int64_t, int64_t> blocks_;
};

}  // namespace

int main() {
  std::unique_ptr<Numbers> source;
  std::unique_ptr<CachingAllocator> allocator;
  std::map<std::string, void*> names;
  std::map<std::string, CachingAllocator::Pool> pools{{"main", CachingAllocator::kMainPool}, {"other", 1}};
  std::string line;
  while (std::getline(std::cin, line)) {
    std::istringstream words(line);
    std::string command, name;
    words >> command;
    if (command == "policy") {
      crossmap::AllocatorPolicy policy{"test", 0, 0, 0, 0};
      int64_t capacity = 0;
      bool canSettle = false;
      words >> policy.alignment >> policy.smallBytes >> policy.slabBytes >> policy.wastedEighths >> capacity >>
          canSettle;
      source = std::make_unique<Numbers>(capacity, canSettle);
      allocator = std::make_unique<CachingAllocator>(*source, policy);
      std::cout << "ok\n";
    } else if (command == "allocate") {
      int64_t bytes = 0;
      std::string pool = "main";
      int64_t done = CachingAllocator::kAnyTicket;
      words >> name >> bytes >> pool;
      if (std::string text; words >> text) done = std::stoll(text);
      try {
        names[name] = allocator->allocate(bytes, pools.at(pool.empty() ? "main" : pool), done);
        std::cout << reinterpret_cast<int64_t>(names[name]) << "\n";
      } catch (const crossmap::Error& error) {
        std::cout << crossmap::codeName(error.code()) << " " << error.what() << "\n";
      }
    } else if (command == "release") {
      int64_t ticket = 0;
      words >> name >> ticket;
      allocator->release(names.at(name), ticket);
      std::cout << "ok\n";
    } else if (command == "trim") {
      allocator->takeCached();
      std::cout << "ok\n";
    } else if (command == "reserve") {
      words >> name;
      pools[name] = allocator->openReserved();
      std::cout << "ok\n";
    } else if (command == "close") {
      words >> name;
      allocator->closeReserved(pools.at(name));
      std::cout << "ok\n";
    } else if (command == "use") {
      const auto use = allocator->use();
      std::cout << use.allocated << " " << use.cached << " " << use.peak << " " << source->taken() << "\n";
    } else {
      std::cerr << "no such command: " << line << "\n";
      return 1;
    }
  }
}

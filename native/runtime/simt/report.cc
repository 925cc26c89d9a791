#include "runtime/simt/report.h"

#include <atomic>
#include <cstdio>
#include <deque>
#include <memory>
#include <mutex>
#include <set>
#include <tuple>

namespace simt {

namespace {

// Texts are handed out as pointers, as cudaGetErrorString does: they stay where they are.
struct Book {
  std::mutex mutex;
  std::deque<Report> reports;
  size_t cleared = 0;  // reports before this one do not count any more
  std::set<std::tuple<std::string, std::string, uint64_t>> places;
  std::atomic<bool> hasAny = false;
};

Book& book() {
  static Book& instance = *std::make_unique<Book>().release();  // outlives threads that still run at exit
  return instance;
}

}  // namespace

bool isReported(const std::string& kernel, const char* kind, uint64_t place) {
  Book& all = book();
  const std::lock_guard lock(all.mutex);
  return !all.places.insert({kernel, kind, place}).second;
}

void addReport(Report report) {
  Book& all = book();
  const std::lock_guard lock(all.mutex);
  all.reports.push_back(std::move(report));
  all.hasAny = true;
}

bool hasReports() { return book().hasAny.load(std::memory_order_acquire); }

std::vector<Report> reports() {
  Book& all = book();
  const std::lock_guard lock(all.mutex);
  return {all.reports.begin() + static_cast<std::ptrdiff_t>(all.cleared), all.reports.end()};
}

const char* lastReport() {
  Book& all = book();
  const std::lock_guard lock(all.mutex);
  return all.reports.size() == all.cleared ? "" : all.reports[all.cleared].text.c_str();
}

bool isAddressError() {
  Book& all = book();
  const std::lock_guard lock(all.mutex);
  return all.reports.size() > all.cleared && all.reports[all.cleared].isAddress;
}

void clearReports() {
  Book& all = book();
  const std::lock_guard lock(all.mutex);
  all.cleared = all.reports.size();
  all.places.clear();
  all.hasAny = false;
}

}  // namespace simt

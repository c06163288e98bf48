/* Every function of the library, called in every way that a caller can get wrong (S-40).
 *
 *     sweep heap|end|start|odd [brief]
 *
 * For each function there is one good call (sweep_table.h). From it, one argument after the other
 * is spoilt: every pointer is null, with and without a length; every buffer is cut, extended,
 * damaged, replaced by rubbish, said to be enormous, or another argument's; every number is
 * extreme; the objects are blank. Each time
 *   - nothing crashes, and nothing beside a buffer or an object is touched (fence.h);
 *   - inputs and `const` objects are not changed, and a call that fails changes only its object's
 *     last error (S-04);
 *   - a null pointer with a length is an error, and so is a buffer too short for what a used object
 *     has to write;
 * and the good call itself succeeds. Each function runs in a process of its own, so that a crash is
 * reported. */
#include "sweep_call.h"

#include <sys/wait.h>

char *doing;

namespace {

bool brief;
uint64_t calls;

Good in(const std::string &bytes) { return {bytes, 0, Role::input}; }
Good out(size_t size) { return {std::string(size, 'x'), 0, Role::output, true}; }
Good out_of_any_length(size_t size) { return {std::string(size, 'x'), 0, Role::output}; }
Good optional(size_t size) { return {std::string(size, 'x'), 0, Role::output, true, true}; }
Good random(size_t size) { return {some_bytes(size), 0, Role::random, true}; }
Good memory(size_t size) { return {some_bytes(size)}; }
Good number(uint64_t value) { return {"", value}; }

std::vector<Row> table(const Material &m, Objects &o) {
    std::vector<Row> rows;
#define ROW(function, ...) rows.push_back(make_row(#function, function, {__VA_ARGS__}))
#include "sweep_table.h"
    return rows;
}

uint32_t below(uint32_t limit) {
    static uint64_t state = 1;
    state = state * 6364136223846793005 + 1442695040888963407;
    return static_cast<uint32_t>(state >> 33) % limit;
}

std::string resized(std::string bytes, size_t size) {
    bytes.resize(size, 'A');
    return bytes;
}

std::string damaged(std::string bytes) {
    if (!bytes.empty()) bytes[below(bytes.size())] ^= 1 << below(8);
    return bytes;
}

std::string rubbish(size_t size) {
    std::string bytes(size, 0);
    for (char &byte : bytes) byte = static_cast<char>(below(256));
    return bytes;
}

/* Lengths that a function may treat differently from `size`: all near it, and all short ones. */
std::vector<size_t> lengths_near(size_t size) {
    std::vector<size_t> lengths;
    for (size_t length = 0; length < size + 6; length++) {
        bool near = length + (brief ? 2 : 20) > size;
        bool early = length < (brief ? 3 : 70);
        if (near || early || length % 16 == 1) lengths.push_back(length);
    }
    lengths.push_back(size + 300);
    return lengths;
}

class Sweep {
public:
    Sweep(const Row &row, Objects &objects, enum fence_place place) : row(row), caller(row, objects, place) {}

    void all() {
        if (call(false, "as it should be") == olm_error() && row.can_fail && row.name != "olm_error")
            broken("the good call fails");
        for (bool blank : {false, true}) {
            call(blank, "as it should be");
            for (size_t i = 0; i < row.parameters.size(); i++) spoil(i, blank);
            everything_null(blank);
            several_at_once(blank);
        }
    }

private:
    const Row &row;
    Caller caller;

    uint64_t call(bool blank, const char *what) {
        calls++;
        return caller.call(blank, what);
    }

    void spoil(size_t i, bool blank) {
        const Way good = caller.ways[i];
        Way &way = caller.ways[i];
        switch (row.parameters[i].kind) {
        case Kind::object:
        case Kind::value:
            way.null = true;
            call(blank, "with a null pointer");
            break;
        case Kind::number:
            for (uint64_t n : {0ul, 1ul, 2ul, 3ul, 101ul, 0x7FFFFFFFul, 0xFFFFFFFFul, SIZE_MAX / 2, SIZE_MAX / 2 + 1,
                               SIZE_MAX - 50, SIZE_MAX}) {
                way.number = n;
                call(blank, "with an extreme number");
            }
            break;
        case Kind::buffer: spoil_buffer(i, good, blank); break;
        case Kind::length:
        case Kind::memory: break;
        }
        way = good;
    }

    void spoil_buffer(size_t i, const Way &good, bool blank) {
        Way &way = caller.ways[i];
        for (size_t length : lengths_near(good.bytes.size())) {
            way.bytes = resized(good.bytes, length);
            uint64_t result = call(blank, "with another length");
            if (row.can_fail && !blank && row.good[i].least && length < good.bytes.size() && result != olm_error())
                broken("a buffer that is too short is accepted");
            way.null = true;
            call(blank, "with null and a length");
            way.null = false;
        }
        for (int n = 0; n < (brief ? 2 : 20); n++) {
            way.bytes = damaged(good.bytes);
            call(blank, "damaged");
            way.bytes = rubbish(good.bytes.size());
            call(blank, "with rubbish");
        }
        for (char filling : {'\0', 'A', '\xFF'}) {
            way.bytes.assign(good.bytes.size(), filling);
            call(blank, "with one character");
        }
        way = good;
        for (uint64_t length : {SIZE_MAX, SIZE_MAX - 1, SIZE_MAX / 2 + 1}) {
            way.enormous = true, way.number = length;
            call(blank, "with an enormous length");
        }
        way = good;
        for (size_t other = 0; other < i; other++) {
            if (row.parameters[other].kind != Kind::buffer) continue;
            const Way others = caller.ways[other];
            size_t most = std::max(good.bytes.size(), others.bytes.size());
            way.bytes = resized(good.bytes, most), caller.ways[other].bytes = resized(others.bytes, most);
            way.shared_with = static_cast<int>(other);
            call(blank, "with the same memory twice");
            way = good, caller.ways[other] = others;
        }
    }

    void everything_null(bool blank) {
        const std::vector<Way> good = caller.ways;
        for (size_t i = 0; i < good.size(); i++) {
            Kind kind = row.parameters[i].kind;
            if (kind == Kind::buffer || kind == Kind::value) caller.ways[i].null = true;
        }
        call(blank, "with null everywhere");
        for (size_t i = 0; i < good.size(); i++) {
            if (row.parameters[i].kind == Kind::buffer) caller.ways[i].bytes.clear();
        }
        call(blank, "with null and no length everywhere");
        caller.ways = good;
    }

    void several_at_once(bool blank) {
        const std::vector<Way> good = caller.ways;
        for (int n = 0; n < (brief ? 5 : 100); n++) {
            for (size_t i = 0; i < good.size(); i++) {
                if (row.parameters[i].kind != Kind::buffer) continue;
                size_t size = good[i].bytes.size();
                switch (below(5)) {
                case 0: caller.ways[i].bytes = resized(good[i].bytes, below(size + 40)); break;
                case 1: caller.ways[i].bytes = damaged(good[i].bytes); break;
                case 2: caller.ways[i].bytes = rubbish(below(100)); break;
                default: break;
                }
            }
            call(blank, "with several wrong");
            caller.ways = good;
        }
    }
};

/* In a process of its own: whether nothing happened to it. */
bool swept(const Row &row, Objects &objects, enum fence_place place) {
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        Sweep(row, objects, place).all();
        *reinterpret_cast<uint64_t *>(doing + DOING) = calls;
        _exit(0);
    }
    int status;
    if (child < 0 || waitpid(child, &status, 0) != child) abort();
    calls = *reinterpret_cast<uint64_t *>(doing + DOING);
    if (WIFSIGNALED(status)) fprintf(stderr, "FAIL: %s: signal %d\n", doing, WTERMSIG(status));
    else if (WEXITSTATUS(status) > 1) fprintf(stderr, "FAIL: %s: ended with %d\n", doing, WEXITSTATUS(status));
    return status == 0;
}

} // namespace

int main(int count, char **words) {
    int place = 0;
    while (count > 1 && place < FENCE_PLACES && strcmp(words[1], fence_names[place]) != 0) place++;
    if (count < 2 || place == FENCE_PLACES) return 2;
    brief = count > 2;
    doing = static_cast<char *>(mmap(NULL, FENCE_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    snprintf(doing, DOING, "making the material");

    Objects objects(static_cast<enum fence_place>(place));
    const Material material(objects);
    int failures = 0;
    const std::vector<Row> rows = table(material, objects);
    for (const Row &row : rows) failures += !swept(row, objects, static_cast<enum fence_place>(place));
    printf("%llu calls of %zu functions, %d failed\n", static_cast<unsigned long long>(calls), rows.size(), failures);
    return failures != 0;
}

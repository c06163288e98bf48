/* How sweep.cpp calls any function of the library: what its parameters are follows from its
 * type. */
#ifndef SWEEP_CALL_H
#define SWEEP_CALL_H

#include <unistd.h>

#include <functional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "material.h"

enum class Kind {
    object, /* one of the library's */
    buffer, /* a pointer, with the length after it */
    length, /* of the buffer before it */
    number, /* any other integer */
    value,  /* a pointer to a single value, which the function writes if it is not null */
    memory, /* what an object is made in */
};

struct Parameter {
    Kind kind;
    bool constant; /* the function promises not to write there */
    int type;      /* of an object */
    size_t size;   /* of a value */
};

/* What becomes of a buffer's bytes. */
enum class Role { input, output, random, other };

/* What a parameter is given in the good call. */
struct Good {
    std::string bytes;
    uint64_t number = 0;
    Role role = Role::other;
    bool least = false;    /* fewer bytes are an error */
    bool optional = false; /* may be null with any length */
};

struct Row {
    std::string name;
    std::vector<Parameter> parameters;
    std::vector<Good> good;
    std::function<uint64_t(const uint64_t *)> call;
    bool can_fail; /* the result may be olm_error() */
};

template <class T> constexpr int type_of = -1;
template <> constexpr int type_of<OlmAccount> = ACCOUNT;
template <> constexpr int type_of<OlmSession> = SESSION;
template <> constexpr int type_of<OlmOutboundGroupSession> = OUTBOUND;
template <> constexpr int type_of<OlmInboundGroupSession> = INBOUND;
template <> constexpr int type_of<OlmUtility> = UTILITY;
template <> constexpr int type_of<OlmPkEncryption> = PK_ENCRYPTION;
template <> constexpr int type_of<OlmPkDecryption> = PK_DECRYPTION;
template <> constexpr int type_of<OlmPkSigning> = PK_SIGNING;
template <> constexpr int type_of<OlmSAS> = SAS;

template <class P> Parameter parameter_of() {
    if constexpr (!std::is_pointer_v<P>) {
        return {Kind::number, true, 0, 0};
    } else {
        using Target = std::remove_pointer_t<P>;
        using T = std::remove_const_t<Target>;
        constexpr bool constant = std::is_const_v<Target>;
        if constexpr (type_of<T> >= 0) return {Kind::object, constant, type_of<T>, 0};
        else if constexpr (std::is_void_v<T>) return {Kind::memory, constant, 0, 0};
        else return {Kind::value, constant, 0, sizeof(T)};
    }
}

template <class P> P argument(uint64_t value) {
    if constexpr (std::is_pointer_v<P>) return reinterpret_cast<P>(value);
    else return static_cast<P>(value);
}

template <class R, class... P, size_t... I>
std::function<uint64_t(const uint64_t *)> caller_of(R (*function)(P...), std::index_sequence<I...>) {
    return [function]([[maybe_unused]] const uint64_t *v) -> uint64_t {
        if constexpr (std::is_void_v<R>) return function(argument<P>(v[I])...), 0;
        else if constexpr (std::is_pointer_v<R>) return reinterpret_cast<uint64_t>(function(argument<P>(v[I])...));
        else return static_cast<uint64_t>(function(argument<P>(v[I])...));
    };
}

/* A row of the table: `given` is for buffers, numbers and memory, in order. */
template <class R, class... P>
Row make_row(const char *name, R (*function)(P...), const std::vector<Good> &given) {
    Row row{name, {parameter_of<P>()...}, {}, caller_of(function, std::index_sequence_for<P...>()),
            std::is_same_v<R, size_t>};
    std::vector<Parameter> &p = row.parameters;
    size_t taken = 0;
    for (size_t i = 0; i < p.size(); i++) {
        bool points = p[i].kind == Kind::memory || p[i].kind == Kind::value;
        if (points && i + 1 < p.size() && p[i + 1].kind == Kind::number) p[i].kind = Kind::buffer;
        else if (i && p[i - 1].kind == Kind::buffer) p[i].kind = Kind::length;
        bool wants = p[i].kind == Kind::buffer || p[i].kind == Kind::number || p[i].kind == Kind::memory;
        if (!wants) row.good.push_back({std::string(p[i].size, 'x')});
        else if (taken < given.size()) row.good.push_back(given[taken++]);
    }
    if (row.good.size() != p.size() || taken != given.size()) fprintf(stderr, "the row of %s\n", name), abort();
    return row;
}

/* How one argument is given. */
struct Way {
    std::string bytes;
    uint64_t number = 0;
    bool null = false;
    bool enormous = false; /* `number` is the length, whatever the memory has */
    int shared_with = -1;  /* the earlier buffer whose memory is given once more */
};

/* What the process is doing, for whoever finds it dead. */
extern char *doing;
enum { DOING = 400 };

[[noreturn]] inline void broken(const char *promise) {
    fprintf(stderr, "FAIL: %s: %s\n", doing, promise);
    _exit(1);
}

class Caller {
public:
    Caller(const Row &row, Objects &objects, enum fence_place place) : row(row), objects(objects) {
        for (const Good &good : row.good) {
            fences.push_back(fence_new(place, 8 << 10));
            ways.push_back({good.bytes, good.number});
        }
    }
    ~Caller() {
        for (fence &fence : fences) fence_free(&fence);
    }
    Caller(const Caller &) = delete;

    /* The next call's arguments: at first the good ones, to be spoilt and to be put back. */
    std::vector<Way> ways;

    uint64_t call(bool blank, const char *what) {
        std::vector<uint64_t> v(row.parameters.size() + 1);
        for (size_t i = 0; i < row.parameters.size(); i++) v[i] = place_argument(i, v, blank);
        describe(v, blank, what);
        uint64_t result = row.call(v.data());
        for (size_t i = 0; i < row.parameters.size(); i++) look_at(i, v, blank, row.can_fail && result == olm_error());
        if (row.can_fail && null_with_length(v) && result != olm_error()) broken("null with a length is no error");
        return result;
    }

private:
    const Row &row;
    Objects &objects;
    std::vector<fence> fences;

    bool is_pointer(size_t i) const {
        Kind kind = row.parameters[i].kind;
        return kind == Kind::buffer || kind == Kind::value || kind == Kind::memory;
    }

    uint64_t place_argument(size_t i, const std::vector<uint64_t> &v, bool blank) {
        const Way &way = ways[i];
        if (way.null) return 0;
        switch (row.parameters[i].kind) {
        case Kind::object: return reinterpret_cast<uint64_t>(objects.restore(row.parameters[i].type, blank));
        case Kind::number: return way.number;
        case Kind::length: return ways[i - 1].enormous ? ways[i - 1].number : ways[i - 1].bytes.size();
        default: break;
        }
        if (way.shared_with >= 0) return v[way.shared_with];
        uint8_t *block = fence_block(&fences[i], way.bytes.size());
        memcpy(block, way.bytes.data(), way.bytes.size());
        return reinterpret_cast<uint64_t>(block);
    }

    void describe(const std::vector<uint64_t> &v, bool blank, const char *what) const {
        int n = snprintf(doing, DOING, "%s %s (%s):", row.name.c_str(), what, blank ? "blank" : "used");
        for (size_t i = 0; i < row.parameters.size() && n < DOING - 20; i++) {
            n += snprintf(doing + n, DOING - n, " %llx", static_cast<unsigned long long>(v[i]));
        }
    }

    void look_at(size_t i, const std::vector<uint64_t> &v, bool blank, bool failed) {
        const Parameter &p = row.parameters[i];
        if (p.kind == Kind::object && v[i]) {
            if (!objects.intact(p.type)) broken("something beside the object was written");
            size_t changes = objects.changes(p.type, blank);
            if (p.constant && changes > 0) broken("a const object was written");
            if (failed && changes > sizeof(OlmErrorCode)) broken("it failed, and changed more than the last error");
        }
        if (!is_pointer(i) || !v[i]) return;
        if (ways[i].shared_with >= 0) return;
        if (!fence_intact(&fences[i])) broken("something beside a buffer was written");
        for (const Way &other : ways) {
            if (other.shared_with == static_cast<int>(i)) return;
        }
        bool same = memcmp(fences[i].block, ways[i].bytes.data(), ways[i].bytes.size()) == 0;
        if (!same && (p.constant || row.good[i].role == Role::input)) broken("an input was written");
        if (!same && failed && row.good[i].role == Role::output) broken("it failed, and wrote an output");
    }

    bool null_with_length(const std::vector<uint64_t> &v) const {
        for (size_t i = 0; i < row.parameters.size(); i++) {
            if (row.parameters[i].kind == Kind::buffer && !v[i] && v[i + 1] && !row.good[i].optional) return true;
        }
        return false;
    }
};

#endif

import CSolv

/// A libsolv `Queue` and its owner. A queue is a growing list of ids, the form in which libsolv takes
/// and returns lists.
struct IdQueue: ~Copyable {
    let pointer: UnsafeMutablePointer<Queue>

    init() {
        pointer = .allocate(capacity: 1)
        queue_init(pointer)
    }

    deinit {
        queue_free(pointer)
        pointer.deallocate()
    }

    var count: Int { Int(pointer.pointee.count) }

    subscript(index: Int) -> Id {
        precondition(index < count)
        return pointer.pointee.elements[index]
    }

    var array: [Id] { Array(UnsafeBufferPointer(start: pointer.pointee.elements, count: count)) }

    func push(_ id: Id) { queue_push(pointer, id) }

    func push(_ a: Id, _ b: Id) { queue_push2(pointer, a, b) }
}

/// The limits within which an answer is accepted.
struct AnswerLimits: Hashable, Sendable {
    /// The most bytes of the whole document.
    var bytes: Int
    /// The most bytes of the text of one element.
    var textBytes: Int
    /// The greatest depth of arrays and structs inside each other.
    var depth: Int
}

/// A checker of the rules by which the elements of XML-RPC are nested. It passes the values to a sink.
///
/// It knows the place in the document that was reached.
struct AnswerGrammar<Sink: ValueSink> {
    private(set) var sink: Sink
    private var text: TextBuffer
    /// The name of the method, if the document is a call.
    private(set) var methodName = ""
    private let root: XMLRPCElement
    private let limits: AnswerLimits
    private var path: ElementPath
    private var depth = 0
    /// Whether the next text is that of a scalar or a name. Between elements only white space is allowed.
    private(set) var isInText = false
    /// Whether the root element has ended.
    private(set) var isOver = false
    /// Collects the value of a `<fault>` instead of the sink. `nil` outside a fault.
    private var fault: ValueTree?

    init(sink: Sink, root: XMLRPCElement, limits: AnswerLimits) {
        self.sink = sink
        self.root = root
        self.limits = limits
        text = TextBuffer(limit: limits.textBytes)
        path = ElementPath(depth: limits.depth)
    }

    func deallocate() {
        text.deallocate()
        path.deallocate()
    }

    /// The innermost element that has begun and not ended.
    var innermost: XMLRPCElement? { path.last?.pointee.element }

    /// The elements that have begun and not ended, the outermost first. After the end of the document, only
    /// its root.
    var open: [XMLRPCElement] { isOver ? [root] : path.elements }

    mutating func start(_ element: XMLRPCElement) throws(AnswerProblem) {
        if let parent = path.last {
            let position = parent.pointee.children
            guard element.fits(in: parent.pointee.element, at: position), position < parent.pointee.element.children.upperBound else {
                throw .malformed("it has <\(element.name)> where XML-RPC does not allow it, in <\(parent.pointee.element.name)>")
            }
            parent.pointee.children = position + 1
            if parent.pointee.element == .value, !text.isBlank {
                throw .malformed("it has a <value> with both text and <\(element.name)>")
            }
        } else if element != root {
            throw .notXMLRPC("it has the root element <\(element.name)> instead of <\(root.name)>")
        }
        guard path.append(element) else { throw tooDeep }
        text.removeAll()
        switch element {
        case .array:
            try enter()
            if fault == nil { try sink.beginArray() } else { fault?.beginArray() }
        case .structure:
            try enter()
            if fault == nil { try sink.beginStruct() } else { fault?.beginStruct() }
        case .member, .data, .param, .params, .methodResponse, .methodCall: isInText = false
        case .fault:
            isInText = false
            fault = ValueTree()
        default: isInText = true
        }
    }

    mutating func end(_ element: XMLRPCElement) throws(AnswerProblem) {
        let closed = path.removeLast()
        guard closed.children >= element.children.lowerBound else { throw .malformed("it has a <\(element.name)> that is not complete") }
        switch element {
        case .name:
            if fault == nil { try sink.member(text.bytes) } else { fault?.member(text.bytes) }
        case .value:
            if closed.children == 0 { try scalar(.string) }
        case .array:
            depth -= 1
            if fault == nil { try sink.endArray() } else { fault?.endArray() }
        case .structure:
            depth -= 1
            if fault == nil { try sink.endStruct() } else { fault?.endStruct() }
        case .fault: throw .fault(try KojiError.Fault(fault?.value))
        case .params:
            guard root == .methodCall || closed.children == 1 else { throw .malformed("it has \(closed.children) values instead of one") }
        case .methodName: methodName = String(decoding: text.bytes, as: UTF8.self)
        default:
            if let kind = element.scalar { try scalar(kind) }
        }
        text.removeAll()
        isInText = false
        isOver = path.last == nil
    }

    mutating func take(_ piece: UnsafeBufferPointer<UInt8>) throws(AnswerProblem) {
        if isInText {
            try text.append(piece)
        } else {
            guard piece.allSatisfy({ $0 <= 0x20 }) else { throw .malformed("it has text between its values: \"\(Excerpt.of(piece))\"") }
        }
    }

    private mutating func enter() throws(AnswerProblem) {
        isInText = false
        depth += 1
        guard depth <= limits.depth else { throw tooDeep }
    }

    private var tooDeep: AnswerProblem { .tooLarge("it nests values more than \(limits.depth) deep") }

    private mutating func scalar(_ kind: XMLRPCScalar.Kind) throws(AnswerProblem) {
        let scalar = XMLRPCScalar(kind: kind, text: text.bytes)
        if fault == nil { try sink.scalar(scalar) } else { try fault?.scalar(scalar) }
    }
}

/// An element that has begun and not ended, with the number of its children so far.
private struct OpenElement {
    let element: XMLRPCElement
    var children = 0
}

/// The elements that have begun and not ended, from the outermost to the innermost.
private struct ElementPath {
    private let storage: UnsafeMutablePointer<OpenElement>
    private let capacity: Int
    private var count = 0

    /// - Parameter depth: The most arrays and structs that may be open at once. Each takes at most four
    ///   elements.
    init(depth: Int) {
        capacity = 4 * depth + 16
        storage = .allocate(capacity: capacity)
    }

    func deallocate() { storage.deallocate() }

    /// The innermost element, or `nil` when no element is open. The pointer is valid until the next change.
    var last: UnsafeMutablePointer<OpenElement>? { count > 0 ? storage + (count - 1) : nil }

    var elements: [XMLRPCElement] { (0..<count).map { storage[$0].element } }

    /// Adds an element. Returns false when there is no room for it.
    mutating func append(_ element: XMLRPCElement) -> Bool {
        guard count < capacity else { return false }
        (storage + count).initialize(to: OpenElement(element: element))
        count += 1
        return true
    }

    /// Removes the innermost element. The parser guarantees that one is open.
    mutating func removeLast() -> OpenElement {
        precondition(count > 0)
        count -= 1
        return storage[count]
    }
}

/// A buffer for the text of one element, collected piece by piece. The next element reuses its memory.
private struct TextBuffer {
    private var storage: UnsafeMutablePointer<UInt8>
    private var capacity = 4096
    private var count = 0
    private let limit: Int

    init(limit: Int) {
        self.limit = limit
        storage = .allocate(capacity: capacity)
    }

    func deallocate() { storage.deallocate() }

    /// The text so far. The pointer is valid until more text is appended.
    var bytes: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: storage, count: count) }

    var isBlank: Bool { count == 0 || bytes.allSatisfy { $0 <= 0x20 } }

    mutating func removeAll() { count = 0 }

    mutating func append(_ piece: UnsafeBufferPointer<UInt8>) throws(AnswerProblem) {
        guard let start = piece.baseAddress else { return }
        let needed = count + piece.count
        guard needed <= limit else { throw .tooLarge("it has a text of more than \(limit) bytes") }
        if needed > capacity {
            let larger = max(needed, 2 * capacity)
            let replacement = UnsafeMutablePointer<UInt8>.allocate(capacity: larger)
            replacement.update(from: storage, count: count)
            storage.deallocate()
            storage = replacement
            capacity = larger
        }
        (storage + count).update(from: start, count: piece.count)
        count = needed
    }
}

/// A reader of one XML-RPC document that arrives in pieces. It checks the document and passes the value
/// in it to a sink.
///
/// It keeps only the path of open elements and the text of one scalar, so its memory does not grow with
/// the document. An ``AnswerScanner`` reads the plain part of the document. From the first place that
/// is not plain, libxml2 reads the rest.
final class AnswerReader<Sink: ValueSink> {
    private let grammar: UnsafeMutablePointer<AnswerGrammar<Sink>>
    private let limits: AnswerLimits
    private var scanner = AnswerScanner()
    /// Bytes that the scanner has not read yet, for example the beginning of a tag whose end has not
    /// arrived.
    private var pending: [UInt8] = []
    /// The reader that replaces the scanner after the scanner has stopped.
    private var parser: SAXReader?
    private var received = 0

    /// - Parameter root: `.methodResponse` for an answer, or `.methodCall` for a call that is sent to a
    ///   hub.
    /// - Parameter scans: Whether the scanner reads the plain part. If false, libxml2 reads all of the
    ///   document.
    init(_ sink: Sink, root: XMLRPCElement = .methodResponse, limits: AnswerLimits, scans: Bool = true) {
        self.limits = limits
        // Behind a pointer, because Swift checks each access to a class's member, and the parser calls very
        // often.
        grammar = UnsafeMutablePointer<AnswerGrammar<Sink>>.allocate(capacity: 1)
        grammar.initialize(to: AnswerGrammar(sink: sink, root: root, limits: limits))
        if !scans { parser = makeParser() }
    }

    deinit {
        grammar.pointee.deallocate()
        grammar.deinitialize(count: 1)
        grammar.deallocate()
    }

    func read(_ bytes: UnsafeRawBufferPointer) throws(AnswerProblem) {
        received += bytes.count
        if received > limits.bytes { throw .tooLarge("it has more than \(limits.bytes) bytes, the most that this service accepts") }
        var rest = bytes
        while !rest.isEmpty {
            let count = min(rest.count, 1 << 20)
            try readPiece(UnsafeRawBufferPointer(rebasing: rest[..<count]))
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    private func readPiece(_ bytes: UnsafeRawBufferPointer) throws(AnswerProblem) {
        if let parser { return try parser.read(bytes) }
        pending.append(contentsOf: bytes)
        let count = try pending.withUnsafeBufferPointer { (pending) throws(AnswerProblem) in
            try scanner.read(pending, into: &grammar.pointee)
        }
        pending.removeFirst(count)
        if !scanner.isPlain { _ = try handOver() }
    }

    /// Returns the sink, after the whole document was read. Throws when the document is not complete.
    func finish() throws(AnswerProblem) -> Sink {
        let isRead = parser == nil && pending.isEmpty && grammar.pointee.isOver
        if !isRead { try handOver().finish() }
        return grammar.pointee.sink
    }

    /// The name of the method, if the document is a call.
    var methodName: String { grammar.pointee.methodName }

    /// Returns the libxml2 reader. Makes it at the first call, so that it continues at the scanner's place.
    private func handOver() throws(AnswerProblem) -> SAXReader {
        if let parser { return parser }
        let parser = makeParser()
        self.parser = parser
        try parser.skip(
            declaration: scanner.declaration, lines: scanner.lines, open: grammar.pointee.open, isOver: grammar.pointee.isOver)
        try pending.withUnsafeBufferPointer { (bytes) throws(AnswerProblem) in try parser.read(UnsafeRawBufferPointer(bytes)) }
        pending = []
        return parser
    }

    private func makeParser() -> SAXReader {
        let grammar = grammar
        return SAXReader(
            SAXHandler(
                startElement: { (element) throws(AnswerProblem) in try grammar.pointee.start(element) },
                endElement: { (element) throws(AnswerProblem) in try grammar.pointee.end(element) },
                text: { (piece) throws(AnswerProblem) in try grammar.pointee.take(piece) }))
    }
}

extension KojiError.Fault {
    /// Reads the fault from an answer, or from one of the answers of a multiCall. Throws `.malformed` when
    /// `value` has no fault code.
    init(_ value: XMLRPCValue?) throws(AnswerProblem) {
        guard let value, let code = value["faultCode"]?.int else { throw .malformed("it has a fault without a code") }
        self.init(code: code, string: value["faultString"]?.string ?? "")
    }
}

extension XMLRPCCall {
    /// Reads the call from the body of a request, as a hub does.
    package init(parsing body: [UInt8]) throws {
        let reader = AnswerReader(
            ParameterList(), root: .methodCall, limits: AnswerLimits(bytes: 16 << 20, textBytes: 1 << 20, depth: 32))
        try body.withUnsafeBytes { try reader.read($0) }
        var arguments = try reader.finish().values
        var keywords: [Keyword] = []
        if case .structure(var members)? = arguments.last, members.removeValue(forKey: Self.keywordMark) == .bool(true) {
            arguments.removeLast()
            keywords = members.sorted { $0.key < $1.key }.map { Keyword($0.key, $0.value) }
        }
        self.init(reader.methodName, arguments, keywords: keywords)
    }

    /// A sink that collects several values, one after the other.
    private struct ParameterList: ValueSink {
        private var tree = ValueTree()
        private(set) var values: [XMLRPCValue] = []

        mutating func beginArray() { tree.beginArray() }
        mutating func endArray() {
            tree.endArray()
            next()
        }
        mutating func beginStruct() { tree.beginStruct() }
        mutating func endStruct() {
            tree.endStruct()
            next()
        }
        mutating func member(_ name: UnsafeBufferPointer<UInt8>) { tree.member(name) }
        mutating func scalar(_ scalar: XMLRPCScalar) throws(AnswerProblem) {
            try tree.scalar(scalar)
            next()
        }

        private mutating func next() {
            guard let value = tree.value else { return }
            values.append(value)
            tree = ValueTree()
        }
    }
}

extension XMLRPCValue {
    /// Reads the value from the body of an answer.
    ///
    /// - Parameter piece: The number of bytes that the reader gets at a time.
    /// - Parameter scans: If false, libxml2 also reads the plain part.
    package init(parsing body: [UInt8], piece: Int = .max, scans: Bool = true) throws {
        let reader = AnswerReader(ValueTree(), limits: AnswerLimits(bytes: 64 << 20, textBytes: 16 << 20, depth: 64), scans: scans)
        var rest = body[...]
        while !rest.isEmpty {
            try rest.prefix(piece).withUnsafeBytes { try reader.read($0) }
            rest = rest.dropFirst(piece)
        }
        guard let value = try reader.finish().value else { throw AnswerProblem.truncated }
        self = value
    }
}

extension KojiError {
    /// Returns the fault that ``XMLRPCValue/init(parsing:piece:scans:)`` threw, or `nil` for any other
    /// error.
    package static func fault(in error: any Error) -> Fault? {
        if case .fault(let fault)? = error as? AnswerProblem { fault } else { nil }
    }
}

import Foundation

/// A receiver of a value of XML-RPC, in the order of the document.
///
/// The reader guarantees that the calls fit together. Each `begin` has its `end`, and in a struct each
/// value follows the name of its member.
protocol ValueSink {
    mutating func beginArray() throws(AnswerProblem)
    mutating func endArray() throws(AnswerProblem)
    mutating func beginStruct() throws(AnswerProblem)
    mutating func endStruct() throws(AnswerProblem)
    /// Receives the name of the next member. The pointer is valid only during the call.
    mutating func member(_ name: UnsafeBufferPointer<UInt8>) throws(AnswerProblem)
    mutating func scalar(_ scalar: XMLRPCScalar) throws(AnswerProblem)
}

/// A sink that collects a whole value. It is meant for small answers.
struct ValueTree: ValueSink {
    private enum Part {
        case array([XMLRPCValue])
        case structure([String: XMLRPCValue], member: String)
    }

    private var open: [Part] = []
    /// The value, or `nil` until it is complete.
    private(set) var value: XMLRPCValue?

    mutating func beginArray() { open.append(.array([])) }
    mutating func beginStruct() { open.append(.structure([:], member: "")) }
    mutating func endArray() { close() }
    mutating func endStruct() { close() }

    mutating func member(_ name: UnsafeBufferPointer<UInt8>) {
        if case .structure(let members, _) = open.popLast() {
            open.append(.structure(members, member: String(decoding: name, as: UTF8.self)))
        }
    }

    mutating func scalar(_ scalar: XMLRPCScalar) throws(AnswerProblem) {
        switch scalar.kind {
        case .null: add(.null)
        case .bool: add(.bool(try scalar.require(scalar.boolean)))
        case .int: add(.int(try scalar.require(scalar.integer)))
        case .double: add(.double(try scalar.require(scalar.number)))
        case .string: add(.string(String(decoding: scalar.text, as: UTF8.self)))
        case .base64: add(.base64(try scalar.require(scalar.bytes)))
        case .dateTime: add(.dateTime(String(decoding: scalar.text, as: UTF8.self)))
        }
    }

    private mutating func close() {
        switch open.popLast() {
        case .array(let elements): add(.array(elements))
        case .structure(let members, _): add(.structure(members))
        case nil: break
        }
    }

    private mutating func add(_ value: XMLRPCValue) {
        switch open.popLast() {
        case .array(var elements):
            elements.append(value)
            open.append(.array(elements))
        case .structure(var members, let member):
            members[member] = value
            open.append(.structure(members, member: member))
        case nil: self.value = value
        }
    }
}

extension XMLRPCScalar {
    /// Returns `value`, which was parsed from the text. Throws `.malformed` when it is `nil`, because the
    /// text is not of its kind.
    fileprivate func require<Value>(_ value: Value?) throws(AnswerProblem) -> Value {
        guard let value else { throw .malformed("it gives \"\(excerpt)\" as \(kind.words)") }
        return value
    }
}

extension XMLRPCValue {
    /// Passes this value to `sink`, as a reader would.
    func replay(into sink: inout some ValueSink) throws(AnswerProblem) {
        switch self {
        case .null: try Self.scalar(.null, "", into: &sink)
        case .bool(let value): try Self.scalar(.bool, value ? "1" : "0", into: &sink)
        case .int(let value): try Self.scalar(.int, "\(value)", into: &sink)
        case .double(let value): try Self.scalar(.double, "\(value)", into: &sink)
        case .string(let value): try Self.scalar(.string, value, into: &sink)
        case .base64(let value): try Self.scalar(.base64, Data(value).base64EncodedString(), into: &sink)
        case .dateTime(let value): try Self.scalar(.dateTime, value, into: &sink)
        case .array(let elements):
            try sink.beginArray()
            for element in elements { try element.replay(into: &sink) }
            try sink.endArray()
        case .structure(let members):
            try sink.beginStruct()
            for (name, value) in members {
                try Self.utf8(name) { (bytes) throws(AnswerProblem) in try sink.member(bytes) }
                try value.replay(into: &sink)
            }
            try sink.endStruct()
        }
    }

    private static func scalar(_ kind: XMLRPCScalar.Kind, _ text: String, into sink: inout some ValueSink) throws(AnswerProblem) {
        try utf8(text) { (bytes) throws(AnswerProblem) in try sink.scalar(XMLRPCScalar(kind: kind, text: bytes)) }
    }

    private static func utf8(_ text: String, _ body: (UnsafeBufferPointer<UInt8>) throws(AnswerProblem) -> Void) throws(AnswerProblem) {
        try Array(text.utf8).withUnsafeBufferPointer { (bytes) throws(AnswerProblem) in try body(bytes) }
    }
}

/// A value that can be a member of a ``ContractDocument``.
protocol DocumentValue: Codable {
    func write(to json: inout JSONWriter)
}

/// A visitor of the members of a document. It reads or changes each of them.
protocol MemberVisitor: ~Copyable {
    associatedtype Failure: Error

    mutating func member<Value: DocumentValue>(_ name: String, _ value: inout Value) throws(Failure)
    mutating func member<Value: DocumentValue>(_ name: String, _ value: inout Value?) throws(Failure)
}

/// A contract document is a JSON object that the HTTP contract describes. Its members are listed once,
/// in ``visit(_:)``. Decoding and every way of encoding follow that list.
protocol ContractDocument {
    mutating func visit<Visitor: MemberVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure)
}

/// The name of a member as a coding key.
struct MemberName: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(_ name: String) {
        stringValue = name
    }

    init(stringValue: String) {
        self.stringValue = stringValue
    }

    init?(intValue: Int) { nil }
}

// MARK: - Codable

extension ContractDocument {
    /// Decodes every member. A member that may be `null` may also be absent.
    mutating func decodeMembers(from decoder: any Decoder) throws {
        var visitor = MemberDecoder(container: try decoder.container(keyedBy: MemberName.self))
        try visit(&visitor)
    }

    /// Encodes every member. A member without a value is written as `null`, because the contract leaves out
    /// no member.
    func encodeMembers(to encoder: any Encoder) throws {
        var visitor = MemberEncoder(container: encoder.container(keyedBy: MemberName.self))
        var document = self
        try document.visit(&visitor)
    }
}

private struct MemberDecoder: MemberVisitor {
    let container: KeyedDecodingContainer<MemberName>

    func member<Value: DocumentValue>(_ name: String, _ value: inout Value) throws {
        value = try container.decode(Value.self, forKey: MemberName(name))
    }

    func member<Value: DocumentValue>(_ name: String, _ value: inout Value?) throws {
        value = try container.decodeIfPresent(Value.self, forKey: MemberName(name))
    }
}

private struct MemberEncoder: MemberVisitor {
    var container: KeyedEncodingContainer<MemberName>

    mutating func member<Value: DocumentValue>(_ name: String, _ value: inout Value) throws {
        try container.encode(value, forKey: MemberName(name))
    }

    mutating func member<Value: DocumentValue>(_ name: String, _ value: inout Value?) throws {
        try container.encode(value, forKey: MemberName(name))
    }
}

// MARK: - JSONWriter

/// The order in which the members of a type of documents are written: that of their names.
struct MemberOrder: Sendable {
    /// The names, as they are listed.
    let listed: [String]
    /// The names, as they are written.
    fileprivate let names: [String]
    /// The places of these names in the list.
    fileprivate let places: [Int]

    init(_ document: some ContractDocument) {
        var visitor = MemberNames()
        var document = document
        document.visit(&visitor)
        let listed = visitor.names
        self.listed = listed
        places = listed.indices.sorted { listed[$0] < listed[$1] }
        names = places.map { listed[$0] }
    }
}

private struct MemberNames: MemberVisitor {
    private(set) var names: [String] = []

    mutating func member<Value: DocumentValue>(_ name: String, _ value: inout Value) throws(Never) { names.append(name) }
    mutating func member<Value: DocumentValue>(_ name: String, _ value: inout Value?) throws(Never) { names.append(name) }
}

extension ContractDocument {
    /// Writes the members as one object, in the order of their names.
    ///
    /// - Parameter further: Additional members, in the order of their names. One without a value is written
    ///   as `null`.
    func write(to json: inout JSONWriter, order: MemberOrder, further: [(name: String, value: (any DocumentValue)?)] = []) {
        var visitor = MemberTexts()
        var document = self
        document.visit(&visitor)
        let ends = visitor.ends
        visitor.json.bytes.withUnsafeBufferPointer { bytes in
            json.object { json in
                func write(_ member: (name: String, value: (any DocumentValue)?), to json: inout JSONWriter) {
                    json.name(member.name)
                    if let value = member.value { value.write(to: &json) } else { json.null() }
                }
                var further = further[...]
                for (index, place) in order.places.enumerated() {
                    while let other = further.first, other.name < order.names[index] {
                        write(other, to: &json)
                        further.removeFirst()
                    }
                    // A comma is between two texts.
                    json.value(UnsafeBufferPointer(rebasing: bytes[(place == 0 ? 0 : ends[place - 1] + 1)..<ends[place]]))
                }
                for other in further { write(other, to: &json) }
            }
        }
    }
}

/// The members of a document as JSON, in the order in which they are listed. Example:
/// `"id":12,"owner":"me"`.
private struct MemberTexts: MemberVisitor, ~Copyable {
    var json = JSONWriter(reservingBytes: 2048)
    /// The place behind each member.
    var ends: [Int] = []

    init() { ends.reserveCapacity(64) }

    mutating func member<Value: DocumentValue>(_ name: String, _ value: inout Value) throws(Never) {
        json.name(name)
        value.write(to: &json)
        ends.append(json.bytes.count)
    }

    mutating func member<Value: DocumentValue>(_ name: String, _ value: inout Value?) throws(Never) {
        json.name(name)
        if let value { value.write(to: &json) } else { json.null() }
        ends.append(json.bytes.count)
    }
}

extension Int: DocumentValue {
    func write(to json: inout JSONWriter) { json.integer(self) }
}

extension Bool: DocumentValue {
    func write(to json: inout JSONWriter) { json.bool(self) }
}

extension String: DocumentValue {
    func write(to json: inout JSONWriter) { json.string(self) }
}

extension [String]: DocumentValue {
    func write(to json: inout JSONWriter) { json.array(self) { $0.string($1) } }
}

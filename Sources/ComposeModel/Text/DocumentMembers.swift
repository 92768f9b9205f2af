/// A value that can be a member of a ``ContractDocument``.
protocol DocumentValue: Codable {
    func write(to json: inout JSONWriter)
}

/// A visitor of the members of a document. It reads or changes each of them.
protocol MemberVisitor {
    associatedtype Failure: Error

    mutating func member<Value: DocumentValue>(_ name: String, _ value: inout Value) throws(Failure)
    mutating func member<Value: DocumentValue>(_ name: String, _ value: inout Value?) throws(Failure)
}

/// A contract document is a JSON object that the HTTP contract describes. Its members are listed once,
/// in
/// ``visit(_:)``. Decoding and every way of encoding follow that list.
protocol ContractDocument {
    mutating func visit<Visitor: MemberVisitor>(_ visitor: inout Visitor) throws(Visitor.Failure)
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

/// The members of a document, in the order in which they are listed.
struct MemberList: MemberVisitor {
    private(set) var members: [(name: String, value: (any DocumentValue)?)] = []

    init(_ document: some ContractDocument) {
        members.reserveCapacity(64)
        var document = document
        document.visit(&self)
    }

    mutating func member<Value: DocumentValue>(_ name: String, _ value: inout Value) throws(Never) {
        members.append((name, value))
    }

    mutating func member<Value: DocumentValue>(_ name: String, _ value: inout Value?) throws(Never) {
        members.append((name, value))
    }

    var names: [String] { members.map(\.name) }

    /// The places of the members in the order of their names. They are the same for all documents of a
    /// type.
    var orderByName: [Int] { members.indices.sorted { members[$0].name < members[$1].name } }

    /// Writes the members as one object, in the order of their names.
    ///
    /// - Parameters:
    ///   - order: The places of the members in that order.
    ///   - valueless: Names of additional members, in order, which are written as `null`.
    func write(to json: inout JSONWriter, order: [Int], valueless: [String]) {
        json.object { json in
            var further = valueless[...]
            for place in order {
                let (name, value) = members[place]
                while let other = further.first, other < name {
                    json.name(other)
                    json.null()
                    further.removeFirst()
                }
                json.name(name)
                if let value { value.write(to: &json) } else { json.null() }
            }
            for other in further {
                json.name(other)
                json.null()
            }
        }
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

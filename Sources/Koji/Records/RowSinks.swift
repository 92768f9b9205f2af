/// A sink for an array of structs, which passes on one row after the other.
struct RowList<Row: AnswerRow>: ValueSink {
    private var rows = RowReader<Row>()
    private var isOpen = false
    private let take: (Row) throws -> Void

    init(_ take: @escaping (Row) throws -> Void) { self.take = take }

    mutating func beginArray() throws(AnswerProblem) {
        if rows.isInRow { return rows.begin() }
        guard !isOpen else { throw expected("an array") }
        isOpen = true
    }

    mutating func endArray() throws(AnswerProblem) {
        if rows.isInRow { _ = try rows.end() }
    }

    mutating func beginStruct() throws(AnswerProblem) {
        guard isOpen else { throw expected("a struct") }
        rows.begin()
    }

    mutating func endStruct() throws(AnswerProblem) {
        guard let row = try rows.end() else { return }
        do { try take(row) } catch { throw .caller(error) }
    }

    mutating func member(_ name: UnsafeBufferPointer<UInt8>) { rows.member(name) }

    mutating func scalar(_ scalar: XMLRPCScalar) throws(AnswerProblem) {
        guard rows.isInRow else { throw expected(scalar.kind.words) }
        try rows.scalar(scalar)
    }

    private func expected(_ found: String) -> AnswerProblem {
        .unexpected("it has \(found) where \(isOpen ? "a" : "a list of structs, each a") \(Row.noun) should be")
    }
}

/// A sink for one struct, or nil.
struct SingleRow<Row: AnswerRow>: ValueSink {
    private var rows = RowReader<Row>()
    private(set) var row: Row?

    mutating func beginArray() throws(AnswerProblem) {
        guard rows.isInRow else { throw expected("an array") }
        rows.begin()
    }

    mutating func endArray() throws(AnswerProblem) { _ = try rows.end() }

    mutating func beginStruct() { rows.begin() }

    mutating func endStruct() throws(AnswerProblem) {
        if let row = try rows.end() { self.row = row }
    }

    mutating func member(_ name: UnsafeBufferPointer<UInt8>) { rows.member(name) }

    mutating func scalar(_ scalar: XMLRPCScalar) throws(AnswerProblem) {
        if rows.isInRow { return try rows.scalar(scalar) }
        guard scalar.kind == .null else { throw expected(scalar.kind.words) }
    }

    private func expected(_ found: String) -> AnswerProblem { .unexpected("it is \(found) where a \(Row.noun) should be") }
}

/// A sink for the answer of listTaggedRPMS, an array of two arrays. It passes on the packages of the
/// first array, and then the builds of the second.
struct TaggedRPMList: ValueSink {
    private var rpms = RowReader<KojiRPM>()
    private var builds = RowReader<KojiBuild>()
    /// The number of open arrays around the rows.
    private var level = 0
    /// The number of lists that have begun. An answer has two.
    private var lists = 0
    private let take: (TaggedRow) throws -> Void

    init(_ take: @escaping (TaggedRow) throws -> Void) { self.take = take }

    private var isInRow: Bool { rpms.isInRow || builds.isInRow }

    mutating func beginArray() throws(AnswerProblem) {
        if isInRow { return begin() }
        guard level < 2 else { throw unexpected("an array") }
        level += 1
        if level == 2 { lists += 1 }
        guard lists <= 2 else { throw unexpected("a third list") }
    }

    mutating func endArray() throws(AnswerProblem) {
        if isInRow { return try end() }
        level -= 1
        guard level > 0 || lists == 2 else { throw unexpected("\(lists) lists") }
    }

    mutating func beginStruct() throws(AnswerProblem) {
        guard level == 2 else { throw unexpected("a struct") }
        begin()
    }

    mutating func endStruct() throws(AnswerProblem) { try end() }

    mutating func member(_ name: UnsafeBufferPointer<UInt8>) {
        if lists == 1 { rpms.member(name) } else { builds.member(name) }
    }

    mutating func scalar(_ scalar: XMLRPCScalar) throws(AnswerProblem) {
        guard isInRow else { throw unexpected(scalar.kind.words) }
        if lists == 1 { try rpms.scalar(scalar) } else { try builds.scalar(scalar) }
    }

    private mutating func begin() {
        if lists == 1 { rpms.begin() } else { builds.begin() }
    }

    private mutating func end() throws(AnswerProblem) {
        let row: TaggedRow? =
            if lists == 1 { try rpms.end().map { .rpm($0) } } else { try builds.end().map { .build($0) } }
        guard let row else { return }
        do { try take(row) } catch { throw .caller(error) }
    }

    private func unexpected(_ found: String) -> AnswerProblem {
        .unexpected("it has \(found) where a list of packages and a list of builds should be")
    }
}

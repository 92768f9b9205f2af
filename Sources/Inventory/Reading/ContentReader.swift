import ComposeModel

/// A content reader reads the compose request of an image from the key `content`. The keys are those of
/// a request to the service.
struct ContentReader: SubmissionVisitor {
    private var entry: MappingReader

    /// Returns the request, or nil if the image has none.
    static func content(of image: inout MappingReader) throws(InventoryProblem) -> ComposeSubmission? {
        guard let entry = try image.mapping("content") else { return nil }
        var members = Self(entry: entry)
        guard let source = try members.entry.mapping("source") else {
            throw image.mistake("content", "must be a compose request with the mapping source")
        }
        var submission = ComposeSubmission(source: .init())
        var sourceMembers = Self(entry: source)
        try submission.source.visit(&sourceMembers)
        try sourceMembers.entry.rejectUnknownKeys()
        try submission.visit(&members)
        try members.entry.rejectUnknownKeys()
        let types = SourceType.allCases.map(\.name)
        guard let type = submission.source.type, types.contains(type) else {
            throw sourceMembers.entry.mistake("type", "must be one of \(types.joined(separator: ", "))")
        }
        return submission
    }

    mutating func member(_ name: String, _ value: inout String?) throws(InventoryProblem) { value = try entry.text(name) }
    mutating func member(_ name: String, _ value: inout [String]?) throws(InventoryProblem) { value = try entry.texts(name) }
    mutating func member(_ name: String, _ value: inout Int?) throws(InventoryProblem) { value = try entry.number(name) }
    mutating func member(_ name: String, _ value: inout Bool?) throws(InventoryProblem) { value = try entry.flag(name) }
    mutating func secondsToLive(_ value: inout Int?) throws(InventoryProblem) { value = try entry.number("seconds_to_live") }
}

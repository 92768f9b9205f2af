extension DecodingError {
    /// A description, for a person, of the mistake in a JSON document and its place.
    public var finding: String {
        switch self {
        case .keyNotFound(let key, let context): "\(Self.place(context.codingPath + [key])) is missing"
        case .valueNotFound(_, let context): "\(Self.place(context.codingPath)) is null"
        case .typeMismatch(_, let context): "\(Self.place(context.codingPath)) is not of the type that it should be"
        case .dataCorrupted(let context) where context.codingPath.isEmpty: "it is not JSON, or not complete"
        case .dataCorrupted(let context): "\(Self.place(context.codingPath)) cannot be read: \(Self.reason(context))"
        @unknown default: "it is not what it should be"
        }
    }

    /// Returns the path of a value in the document, for example `results[2].base_url`.
    private static func place(_ path: [any CodingKey]) -> String {
        let text = path.reduce("") { text, key in
            key.intValue.map { "\(text)[\($0)]" } ?? (text.isEmpty ? key.stringValue : "\(text).\(key.stringValue)")
        }
        return text.isEmpty ? "the whole" : text.printable(most: 200)
    }

    /// The reason without a full stop, because it ends the sentence of the caller.
    private static func reason(_ context: Context) -> String {
        let text = context.debugDescription.printable(most: 300)
        return text.hasSuffix(".") ? String(text.dropLast()) : text
    }
}

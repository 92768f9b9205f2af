extension Duration {
    /// The duration as text for a person, to the millisecond. Examples: "10 seconds", "0.25 seconds",
    /// "1 second".
    public var inWords: String {
        let milliseconds = components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
        if self == .seconds(1) { return "1 second" }
        return milliseconds % 1000 == 0 ? "\(milliseconds / 1000) seconds" : "\(Double(milliseconds) / 1000) seconds"
    }
}

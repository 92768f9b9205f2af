extension Array {
    /// The array, or `nil` if it is empty. Members that are `nil` are not sent.
    var nilIfEmpty: Self? { isEmpty ? nil : self }
}

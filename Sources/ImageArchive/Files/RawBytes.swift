extension [UInt8] {
    /// Calls `body` with the bytes in memory. It is `withUnsafeBytes` with a typed error.
    func withRawBytes<Result>(
        _ body: (UnsafeRawBufferPointer) throws(ImageArchiveError) -> Result
    ) throws(ImageArchiveError) -> Result {
        try withUnsafeBufferPointer { (bytes) throws(ImageArchiveError) in try body(UnsafeRawBufferPointer(bytes)) }
    }
}

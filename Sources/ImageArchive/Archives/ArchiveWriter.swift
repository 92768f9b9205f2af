public import ImageModel

/// Writes an image into an archive, from blobs as a registry sends them. It asks for the blobs in the
/// order in which it writes them.
///
///     while let blob = writer.nextBlob {
///         while let bytes = next(of: blob) { try writer.write(bytes) }
///         try writer.endBlob()
///     }
///     try writer.finish()
public protocol ArchiveWriter: AnyObject {
    /// The layer whose compressed bytes the writer needs next, or `nil` if it has all.
    var nextBlob: Descriptor? { get }
    /// Writes the next compressed bytes of ``nextBlob``.
    func write(_ bytes: UnsafeRawBufferPointer) throws(ImageArchiveError)
    /// Ends ``nextBlob``. Throws if it has another digest or size than its descriptor.
    func endBlob() throws(ImageArchiveError)
    /// Ends the archive. The file is complete when this function returns.
    func finish() throws(ImageArchiveError)
}

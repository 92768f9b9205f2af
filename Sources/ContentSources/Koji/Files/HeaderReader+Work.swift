import ComposeModel
import Compression
import NIOPosix
import Repodata

/// Work on many package files. Files of this host are handled in batches on the thread pool. Files of a
/// server are handled by several requests at once.
extension HeaderReader {
    /// The number of local files in one batch. It limits the time for which a batch occupies its thread.
    private static let batchFiles = 128
    private static let batchesAtOnce = 4

    /// One file to read, and the package that it belongs to.
    struct PackageFile: Sendable {
        let package: KojiPackage
        let path: String
        /// The key under which the header is stored.
        let header: Checksum
    }

    /// Passes the fragments of each of `files` to `take`, in any order.
    func fragments(
        of files: [PackageFile], findings: inout PackageFindings,
        take: ((header: Checksum, fragments: PackageFragments)) async -> ComposeFailure?
    ) async {
        await handle(files, findings: &findings) { (file) throws(FileProblem) in
            do throws(HeaderProblem) {
                return (file.header, try readInPlace(file.package, at: file.path))
            } catch {
                throw FileProblem(error, of: file.package, at: file.path)
            }
        } remotely: { (file) async throws(FileProblem) in
            do throws(HeaderProblem) {
                return (file.header, try await fetch(file.package, from: try url(file.path)))
            } catch {
                throw FileProblem(error, of: file.package, at: file.path)
            }
        } take: {
            await take($0)
        }
    }

    /// A package, and the keys of the copies to look for.
    struct Search: Sendable {
        let index: Int
        let package: KojiPackage
        let keys: [String]
    }

    /// The result of a search: the first existing copy, and the keys before it that have no copy.
    struct Found: Sendable {
        let index: Int
        let copy: PackageCopy?
        let missing: [String]
    }

    /// Passes the result of each of `searches` to `take`, in any order.
    func copies(of searches: [Search], findings: inout PackageFindings, take: (Found) -> Void) async {
        await handle(searches, findings: &findings) { (search) throws(FileProblem) in
            var missing: [String] = []
            for key in search.keys {
                guard let path = search.package.path(signedBy: key) else { continue }
                do throws(HeaderProblem) {
                    return search.found(try lookInPlace(at: path), key, path, missing)
                } catch {
                    missing.append(try search.missed(key, path, error))
                }
            }
            return Found(index: search.index, copy: nil, missing: missing)
        } remotely: { (search) async throws(FileProblem) in
            var missing: [String] = []
            for key in search.keys {
                guard let path = search.package.path(signedBy: key) else { continue }
                do throws(HeaderProblem) {
                    return search.found(try await look(at: try url(path)), key, path, missing)
                } catch {
                    missing.append(try search.missed(key, path, error))
                }
            }
            return Found(index: search.index, copy: nil, missing: missing)
        } take: { found in
            take(found)
            return nil
        }
    }

    /// Passes the checksum of each of `copies` to `take`, in any order.
    /// - Parameter limit: The maximum size of one file in bytes.
    func checksums(
        of copies: [PackageCopy], limit: Int, findings: inout PackageFindings, take: ((copy: PackageCopy, sha256: Checksum)) -> Void
    ) async {
        await handle(copies, findings: &findings) { (copy) throws(FileProblem) in
            do throws(HeaderProblem) {
                return (copy, try checksumInPlace(copy))
            } catch {
                throw FileProblem(error, of: copy.package, at: copy.path)
            }
        } remotely: { (copy) async throws(FileProblem) in
            do throws(HeaderProblem) {
                return (copy, try await checksum(copy, at: try url(copy.path), limit: limit))
            } catch {
                throw FileProblem(error, of: copy.package, at: copy.path)
            }
        } take: { result in
            take(result)
            return nil
        }
    }

    private func url(_ path: String) throws(HeaderProblem) -> RepositoryURL {
        do throws(TransferProblem) {
            guard case .remote(let url, _) = try tree.file(path) else { throw .missing }
            return url
        } catch {
            throw .transfer(error)
        }
    }

    /// Runs `works` in parallel until all are done, or until the findings end the search. If `take` returns
    /// a failure, it ends the search as well.
    private func handle<Work: Sendable, Value: Sendable>(
        _ works: [Work], findings: inout PackageFindings,
        inPlace: @escaping @Sendable (Work) throws(FileProblem) -> Value,
        remotely: @escaping @Sendable (Work) async throws(FileProblem) -> Value,
        take: (Value) async -> ComposeFailure?
    ) async {
        let threadPool = threadPool
        let isLocal = if case .directory = tree { true } else { false }
        let step = isLocal ? Self.batchFiles : 1
        let batches = stride(from: 0, to: works.count, by: step).map { works[$0..<min($0 + step, works.count)] }
        let run: @Sendable (ArraySlice<Work>) async -> Result<[Result<Value, FileProblem>], ComposeFailure> = { batch in
            if isLocal {
                do throws(ComposeFailure) {
                    return .success(
                        try await threadPool.run(canceled: .canceled) { () throws(ComposeFailure) in
                            batch.map { work in
                                do throws(FileProblem) { return .success(try inPlace(work)) } catch { return .failure(error) }
                            }
                        })
                } catch {
                    return .failure(error)
                }
            }
            guard let work = batch.first else { return .success([]) }
            do throws(FileProblem) { return .success([.success(try await remotely(work))]) } catch { return .success([.failure(error)]) }
        }
        var found = findings
        await inParallel(batches, atOnce: isLocal ? Self.batchesAtOnce : transfer.limits.concurrentHeaders, run) { results in
            switch results {
            case .failure(let failure): found.stop(failure)
            case .success(let results):
                for result in results {
                    switch result {
                    case .success(let value): if let failure = await take(value) { found.stop(failure) }
                    case .failure(let problem): found.add(problem.problem, of: problem.package, at: problem.path)
                    }
                }
            }
            return !found.isHopeless
        }
        findings = found
    }
}

extension HeaderReader.Search {
    fileprivate func found(_ start: HeaderReader.Start, _ key: String, _ path: String, _ missing: [String]) -> HeaderReader.Found {
        HeaderReader.Found(
            index: index,
            copy: PackageCopy(
                package: package, key: key, path: path, size: start.size, headerStart: start.headerStart, version: start.version),
            missing: missing)
    }

    /// Returns the key of a signed file that cannot be used, which counts as nonexistent. Throws for the
    /// unsigned file, which must exist.
    fileprivate func missed(_ key: String, _ path: String, _ problem: HeaderProblem) throws(FileProblem) -> String {
        guard !key.isEmpty, problem.isOfFile else { throw FileProblem(problem, of: package, at: path) }
        return key
    }
}

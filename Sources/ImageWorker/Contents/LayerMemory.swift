import ImageModel
import Synchronization

/// A *layer memory* keeps what was found in layers. So the layers of an operating system, which a
/// hundred images have, are read once.
///
/// A layer's content never changes. If the memory is full, any layer makes room.
final class LayerMemory: Sendable {
    private struct State {
        var withoutEffect: Set<ImageDigest> = []
        var contents: [ImageDigest: Contents.State] = [:]
    }

    private let state = Mutex(State())
    private let mostLayers: Int
    private let mostContents: Int

    init(mostLayers: Int = 10_000, mostContents: Int = 100) {
        self.mostLayers = mostLayers
        self.mostContents = mostContents
    }

    /// Whether a layer neither has a part of an rpmdb nor hides one.
    func isWithoutEffect(_ layer: ImageDigest) -> Bool { state.withLock { $0.withoutEffect.contains(layer) } }

    func noteWithoutEffect(_ layer: ImageDigest) {
        state.withLock { state in
            if state.withoutEffect.count >= mostLayers { state.withoutEffect.removeFirst() }
            state.withoutEffect.insert(layer)
        }
    }

    /// Returns the contents of each image whose topmost layer with an effect is this one.
    func contents(below layer: ImageDigest) -> Contents.State? { state.withLock { $0.contents[layer] } }

    func note(_ contents: Contents.State, below layer: ImageDigest) {
        state.withLock { state in
            if state.contents.count >= mostContents, let any = state.contents.keys.first { state.contents[any] = nil }
            state.contents[layer] = contents
        }
    }
}

// Work that is as good as none, for measuring what a dispatch costs by itself.
@group(0) @binding(0) var<storage, read_write> words: array<u32>;

@compute @workgroup_size(64)
fn idle(@builtin(global_invocation_id) id: vec3<u32>) {
    words[id.x] = words[id.x] + 1u;
}
